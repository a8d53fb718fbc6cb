import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { ErasureSubject } from '#libs/contracts';
import type { ErasureParts } from './erasure-round.js';

export type ErasureCause = 'request' | 'retention';

/** The erasure of an organization, of sites or of a person, while it goes on and as a receipt afterwards. */
@Entity('erasures')
@Unique('erasures_uuid', ['uuid'])
@Index('erasures_due', ['nextRoundAt'], { where: `"finished_at" IS NULL` })
@Check('erasures_subject', `("subject" IS NULL) = ("finished_at" IS NOT NULL)`)
export class Erasure {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'erasures_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('text')
  kind: ErasureSubject['kind'];

  /** Of the organization or the person; of sites: each. The pseudonyms that stay. */
  @Column('uuid', { name: 'subject_uuids', array: true })
  subjectUuids: string[];

  /** What the services need to find her data. Gone when it is done. */
  @Column('jsonb', { nullable: true })
  subject: ErasureSubject | null;

  @Column('text')
  cause: ErasureCause;

  /** UUID of the person who asked for it; null: its time was over. */
  @Column('uuid', { name: 'requested_by', nullable: true })
  requestedBy: string | null;

  @Column('timestamptz', { name: 'requested_at' })
  requestedAt: Date;

  @Column('integer')
  round: number;

  /** When the next round is due, or this one must be asked again. */
  @Column('timestamptz', { name: 'next_round_at' })
  nextRoundAt: Date;

  /** What each service has said so far, the gateway's own part among them. */
  @Column('jsonb')
  parts: ErasureParts;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt: Date | null;

  /** The text whose SHA-256 is in the audit log. */
  @Column('text', { nullable: true })
  receipt: string | null;
}
