import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsTimeZone } from 'class-validator';
import { BooleanParameter, PageQuery, TextParameter } from '../http/parameters.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { ROLES } from './roles.js';
import type { Role } from './roles.js';

export class OrganizationListQuery extends PageQuery {
  @TextParameter('Part of the name.')
  q?: string;

  @BooleanParameter('true: those that were removed and can be restored; for superusers.')
  removed?: boolean;
}

export class CreateOrganizationBody {
  @ApiProperty({ example: 'Agency Example', maxLength: 255 })
  @PlainText(255)
  name: string;

  @ApiPropertyOptional({
    example: 'Europe/Zurich',
    default: 'UTC',
    description: 'IANA name; days and hours count in it.',
  })
  @IsOptional()
  @IsTimeZone()
  time_zone: string = 'UTC';

  @ApiPropertyOptional({
    default: false,
    description: 'true: its members can do nothing until a second factor of theirs is on.',
  })
  @IsOptional()
  @IsBoolean()
  requires_second_factor: boolean = false;
}

export class ChangeOrganizationBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @IsOptional()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ example: 'Europe/Zurich' })
  @IsOptional()
  @IsTimeZone()
  time_zone?: string;

  @ApiPropertyOptional({ description: 'true: its members can do nothing until a second factor of theirs is on.' })
  @IsOptional()
  @IsBoolean()
  requires_second_factor?: boolean;
}

export class ChangeRoleBody {
  @ApiProperty({ enum: ROLES })
  @IsIn(ROLES)
  role: Role;
}

export class UserListQuery extends PageQuery {
  @TextParameter('Part of the name or the address.')
  q?: string;

  @BooleanParameter('false: disabled accounts.')
  active?: boolean;
}

export class ChangeUserBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @IsOptional()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ description: 'false: the account is disabled, and all of its sessions end at once.' })
  @IsOptional()
  @IsBoolean()
  active?: boolean;

  @ApiPropertyOptional({ description: 'May everything, in every organization.' })
  @IsOptional()
  @IsBoolean()
  superuser?: boolean;
}

export class ChangeProfileBody {
  @ApiProperty({ maxLength: 255 })
  @PlainText(255)
  name: string;
}
