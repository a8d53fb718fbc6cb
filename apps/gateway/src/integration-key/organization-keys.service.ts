import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Logger } from '#libs/runtime';
import type { EnrolmentKeyPrincipal, IntegrationKeyPrincipal } from '../identity/principal.js';
import { isKeyOf, publicIdOfKey } from '../site-key/site-key.js';
import { CLOCK, LOGGER } from '../tokens.js';
import { knownScopes } from './key-scopes.js';
import { OrganizationKeyRepository } from './organization-key.repository.js';
import type { LiveKey, OrganizationKeyKind } from './organization-key.repository.js';

/** When a key was last used is noted so exactly. */
const TOUCH_EVERY_MS = 60_000;

/**
 * Who a key of an organization belongs to. The database is asked with each request (one look-up by the public id), so that a key that is
 * revoked opens nothing from that moment; mistyped and most invented keys fail at their checksum and cost no look-up (S44).
 */
@Injectable()
export class OrganizationKeys {
  constructor(
    private readonly keys: OrganizationKeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns null: it is no key of these kinds, or it is no longer good */
  async find(text: string): Promise<IntegrationKeyPrincipal | EnrolmentKeyPrincipal | null> {
    const kind: OrganizationKeyKind = text.startsWith('pw_enrolment_') ? 'enrolment' : 'integration';
    const publicId = publicIdOfKey(kind, text);
    if (publicId === null) return null;
    const now = this.clock.now();
    const key = await this.keys.live(kind, publicId, now);
    if (key === null || !isKeyOf(key.secretHash, text)) return null;
    this.noteUse(key, now);
    const { id: keyId, organizationId, organizationUuid, createdBy, sharedSiteIds, requestsPerMinute } = key;
    if (kind === 'enrolment')
      return { kind: 'enrolment_key', publicId, keyId, organizationId, organizationUuid, createdBy, requestsPerMinute };
    return {
      kind: 'integration_key',
      publicId,
      scopes: knownScopes(key.scopes),
      id: createdBy,
      superuser: false,
      memberships: [{ organizationId, organizationUuid, role: 'user', sharedSiteIds }],
      requestsPerMinute,
    };
  }

  private noteUse(key: LiveKey, now: Date): void {
    if (key.lastUsedAt !== null && now.getTime() - key.lastUsedAt.getTime() < TOUCH_EVERY_MS) return;
    this.keys.touch(key.id, now).catch((error: unknown) => {
      this.logger.warn({ err: error }, 'the last use of a key cannot be noted');
    });
  }
}
