import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A person's authenticator app. Until it was confirmed by a code it counts for nothing. */
@Entity('second_factors')
@Unique('second_factors_user', ['userId'])
export class SecondFactor {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'second_factors_pkey' })
  id: number;

  @Column('integer', { name: 'user_id' })
  userId: number;

  /** The seed, encrypted; see `seal.ts`. */
  @Column('bytea', { name: 'sealed_seed' })
  sealedSeed: Buffer;

  /** Number of the last 30 seconds whose code was taken: that code and older ones are worth nothing any more. */
  @Column('integer', { name: 'last_step' })
  lastStep: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt: Date | null;
}
