import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';

export const ERASABLE = ['organization', 'user'] as const;

export class BeginErasureBody {
  @ApiProperty({ enum: ERASABLE })
  @IsIn(ERASABLE)
  subject: (typeof ERASABLE)[number];

  @ApiProperty({ format: 'uuid', description: 'Of the removed organization, or of the person.' })
  @Matches(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, { message: '$property must be a UUID' })
  id: string;
}
