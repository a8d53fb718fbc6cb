import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asSystem, GatheredLookUps, prepared } from '#libs/database';
import type { ActingPerson } from '../identity/principal.js';
import { sharedSitesOf } from '../site-share/shared-sites.js';

/** The person of a session, both as they are now. */
export interface WhoAsks {
  /** null: her account is disabled. */
  readonly person: ActingPerson | null;
  readonly sessionVersion: number;
  readonly session: {
    readonly id: number;
    readonly uuid: string;
    readonly authenticatedAt: Date;
    readonly lastSeenAt: Date;
    readonly expiresAt: Date;
    readonly endedAt: Date | null;
  };
}

interface Row {
  readonly session_id: number;
  readonly session_uuid: string;
  readonly authenticated_at: Date;
  readonly last_seen_at: Date;
  readonly expires_at: Date;
  readonly ended_at: Date | null;
  readonly id: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string;
  readonly superuser: boolean;
  readonly active: boolean;
  readonly session_version: number;
  readonly revision: number;
  readonly memberships: ActingPerson['memberships'];
  readonly owes_second_factor: boolean;
  readonly requests_per_minute: number;
}

/**
 * Who stands behind a session. Every request of a person asks this, so it is one prepared statement instead of three that are put together anew
 * (a sixth of the time), and those that come while one is under way share the next. Nothing is kept: what was revoked before a request came is
 * revoked for it.
 */
@Injectable()
export class WhoAsksRepository {
  private readonly lookUps = new GatheredLookUps((sessionUuids) => this.read(sessionUuids));

  constructor(private readonly dataSource: DataSource) {}

  /** By the UUID of a session, ended or not; null: there is none. @throws the database's error */
  find(sessionUuid: string): Promise<WhoAsks | null> {
    return this.lookUps.find(sessionUuid);
  }

  private async read(uuids: readonly string[]): Promise<ReadonlyMap<string, WhoAsks>> {
    const rows = await asSystem(() => prepared<Row>(this.dataSource, WHO_ASKS, [uuids]));
    return new Map(rows.map((row) => [row.session_uuid, whoAsks(row)]));
  }
}

function whoAsks(row: Row): WhoAsks {
  const { id, uuid, email, name, superuser, memberships, revision } = row;
  const { owes_second_factor: owesSecondFactor, requests_per_minute: requestsPerMinute } = row;
  return {
    person: row.active
      ? { kind: 'user', id, uuid, email, name, superuser, memberships, owesSecondFactor, revision, requestsPerMinute }
      : null,
    sessionVersion: row.session_version,
    session: {
      id: row.session_id,
      uuid: row.session_uuid,
      authenticatedAt: row.authenticated_at,
      lastSeenAt: row.last_seen_at,
      expiresAt: row.expires_at,
      endedAt: row.ended_at,
    },
  };
}

const WHO_ASKS = `
  SELECT session.id AS session_id, session.uuid AS session_uuid, session.authenticated_at, session.last_seen_at, session.expires_at,
         session.ended_at, person.id, person.uuid, person.email, person.name, person.superuser, person.active, person.session_version, person.revision,
         coalesce((
           SELECT json_agg(json_build_object(
                    'organizationId', membership.organization_id, 'organizationUuid', organization.uuid, 'role', membership.role,
                    'sharedSiteIds', ${sharedSitesOf('membership.organization_id')}) ORDER BY membership.organization_id)
           FROM memberships membership
           JOIN organizations organization ON organization.id = membership.organization_id AND organization.removed_at IS NULL
           WHERE membership.user_id = person.id
         ), '[]') AS memberships,
         EXISTS (
           SELECT FROM memberships membership
           JOIN organizations organization ON organization.id = membership.organization_id AND organization.removed_at IS NULL
           WHERE membership.user_id = person.id AND organization.requires_second_factor
         ) AND NOT EXISTS (
           SELECT FROM second_factors factor WHERE factor.user_id = person.id AND factor.confirmed_at IS NOT NULL
         ) AS owes_second_factor,
         coalesce((
           SELECT max(plan.person_requests_per_minute)
           FROM memberships membership
           JOIN organizations organization ON organization.id = membership.organization_id AND organization.removed_at IS NULL
           JOIN plans plan ON plan.id = organization.plan_id
           WHERE membership.user_id = person.id
         ), (SELECT plan.person_requests_per_minute FROM plans plan WHERE plan.is_default)) AS requests_per_minute
  FROM sessions session JOIN users person ON person.id = session.user_id
  WHERE session.uuid = ANY($1::uuid[])`;
