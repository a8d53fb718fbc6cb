import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A Drupal.org project that some site runs or ran. The catalog has been told of it once. */
@Entity({ name: 'known_modules' })
export class KnownModuleEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'known_modules_pkey' })
  module: string;

  @Column({ type: 'text' })
  type: string;

  @Column({ name: 'first_seen_at', type: 'timestamptz' })
  firstSeenAt: Date;
}
