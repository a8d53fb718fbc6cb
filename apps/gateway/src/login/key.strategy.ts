import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import headerApiKey from 'passport-headerapikey';
import type { Principal } from '../identity/principal.js';
import { OrganizationKeys } from '../integration-key/organization-keys.service.js';
import { SiteKeyDirectory } from '../site-key/site-key-directory.service.js';

/** `X-API-Key: <key>`: a site, a program or an agent that asks by its key. The form of the key tells which. */
@Injectable()
export class KeyStrategy extends PassportStrategy(headerApiKey.HeaderAPIKeyStrategy, 'api-key') {
  /** Its own passport, as `PersonStrategy` says. */
  declare readonly passport: passport.PassportStatic;

  constructor(
    private readonly siteKeys: SiteKeyDirectory,
    private readonly organizationKeys: OrganizationKeys,
  ) {
    super({ header: 'X-API-Key', prefix: '' }, false);
  }

  /** Called by the base class while it is made. */
  getPassportInstance(): passport.PassportStatic {
    const own = new passport.Passport() as unknown as passport.PassportStatic;
    Object.defineProperty(this, 'passport', { value: own });
    return own;
  }

  async validate(text: string): Promise<Principal | null> {
    if (!text.startsWith('pw_site_')) return this.organizationKeys.find(text);
    const key = await this.siteKeys.find(text);
    if (key === null) return null;
    const { publicId, siteId, siteUuid, organizationId, requestsPerMinute } = key;
    return { kind: 'site_key', publicId, siteId, siteUuid, organizationId, requestsPerMinute };
  }
}
