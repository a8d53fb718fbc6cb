import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** `site`: one site pushes; `integration`: a program asks in the name of an organization; `enrolment`: agents register their sites. */
export const KEY_KINDS = ['site', 'integration', 'enrolment'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What a site's key is for; each purpose has its own limit of live keys. */
export const KEY_PURPOSES = ['push', 'backfill'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];
/** What the other kinds are for. */
export type OrganizationKeyPurpose = 'api' | 'enrolment';

/** A key as we keep it: its public part and a hash of the whole. The secret is shown once and stored nowhere. */
@Entity('api_keys')
@Unique('api_keys_public_id', ['publicId'])
@Index('api_keys_site', ['organizationId', 'siteId'])
@Check('api_keys_kind', `"kind" IN ('site', 'integration', 'enrolment')`)
@Check('api_keys_name_of_kind', `("kind" = 'site') = ("name" IS NULL)`)
@Check('api_keys_uses', `"most_uses" IS NULL OR "uses" <= "most_uses"`)
@Check('api_keys_site_of_kind', `("kind" = 'site') = ("site_id" IS NOT NULL)`)
@Check('api_keys_secret_hash', `octet_length("secret_hash") = 32`)
export class ApiKey {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'api_keys_pkey' })
  id: number;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('integer', { name: 'site_id', nullable: true })
  siteId: number | null;

  @Column('text')
  kind: KeyKind;

  @Column('text')
  purpose: KeyPurpose | OrganizationKeyPurpose;

  /** The eight characters after the kind: names the key in lists and logs. */
  @Column('text', { name: 'public_id' })
  publicId: string;

  /** SHA-256 of the whole key. A fast hash is right for 190 random bits. */
  @Column('bytea', { name: 'secret_hash' })
  secretHash: Buffer;

  /** What the key may do: `push` for a site's, `enrol` for an enrolment key, else of `key-scopes.ts`. */
  @Column('text', { array: true })
  scopes: string[];

  /** User who made it; null: the platform. */
  @Column('integer', { name: 'created_by', nullable: true })
  createdBy: number | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  /** What people call it; keys of sites have no name. */
  @Column('text', { nullable: true })
  name: string | null;

  /** The same for a key and those that replaced it; null: a site's. */
  @Column('uuid', { nullable: true })
  family: string | null;

  /** How many sites an enrolment key may register. */
  @Column('integer', { name: 'most_uses', nullable: true })
  mostUses: number | null;

  @Column('integer', { default: 0 })
  uses: number;
}
