import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsTimeZone, Matches } from 'class-validator';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { BooleanParameter, PageQuery, TextParameter } from '../http/parameters.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { PLAN_CODE } from '../plan/plan-code.js';
import { ROLES } from './roles.js';
import type { Role } from './roles.js';

export class OrganizationListQuery extends PageQuery {
  @TextParameter('Part of the name.')
  q?: string;

  @BooleanParameter('true: those that were removed and can be restored; for superusers.')
  removed?: boolean;
}

const PlanCode = (): PropertyDecorator => Matches(PLAN_CODE, { message: '$property must be the code of a plan' });

export class CreateOrganizationBody {
  @ApiProperty({ example: 'Agency Example', maxLength: 255 })
  @PlainText(255)
  name: string;

  @ApiPropertyOptional({
    example: 'Europe/Zurich',
    default: 'UTC',
    description: 'IANA name; days and hours count in it.',
  })
  @MayBeLeftOut()
  @IsTimeZone()
  time_zone: string = 'UTC';

  @ApiPropertyOptional({
    default: false,
    description: 'true: its members can do nothing until a second factor of theirs is on.',
  })
  @MayBeLeftOut()
  @IsBoolean()
  requires_second_factor: boolean = false;

  @ApiPropertyOptional({ example: 'premium', description: 'Code of its plan; without it the default one.' })
  @MayBeLeftOut()
  @PlanCode()
  plan?: string;
}

export class ChangeOrganizationBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ example: 'Europe/Zurich' })
  @MayBeLeftOut()
  @IsTimeZone()
  time_zone?: string;

  @ApiPropertyOptional({ description: 'true: its members can do nothing until a second factor of theirs is on.' })
  @MayBeLeftOut()
  @IsBoolean()
  requires_second_factor?: boolean;

  @ApiPropertyOptional({ example: 'premium', description: 'Code of its plan; for superusers.' })
  @MayBeLeftOut()
  @PlanCode()
  plan?: string;
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
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ description: 'false: the account is disabled, and all of its sessions end at once.' })
  @MayBeLeftOut()
  @IsBoolean()
  active?: boolean;

  @ApiPropertyOptional({ description: 'May everything, in every organization.' })
  @MayBeLeftOut()
  @IsBoolean()
  superuser?: boolean;
}

export class ChangeProfileBody {
  @ApiProperty({ maxLength: 255 })
  @PlainText(255)
  name: string;
}
