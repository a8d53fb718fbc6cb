import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** One code for the day the phone is lost. */
@Entity('backup_codes')
@Unique('backup_codes_selector', ['userId', 'selector'])
export class BackupCode {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'backup_codes_pkey' })
  id: number;

  @Column('integer', { name: 'user_id' })
  userId: number;

  /** Its first characters, which are no secret: they tell which hash to compute. */
  @Column('text')
  selector: string;

  /** Hashed as passwords are. */
  @Column('text', { name: 'code_hash' })
  codeHash: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;
}
