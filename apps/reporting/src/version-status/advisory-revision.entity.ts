import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An advisory as it stood at one time: what the catalog told. Kept for good. */
@Entity('advisory_revisions')
export class AdvisoryRevisionEntity {
  @PrimaryColumn({ type: 'text' })
  advisory: string;

  @PrimaryColumn({ type: 'integer' })
  revision: number;

  @Column({ type: 'timestamptz', name: 'known_at' })
  knownAt: Date;

  @Column({ type: 'jsonb' })
  facts: object;
}
