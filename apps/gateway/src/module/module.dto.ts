import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { MODULE_SORTS, MODULE_VERSION_SORTS } from '#libs/contracts';
import { FormatParameter } from '../http/format.decorator.js';
import type { Format } from '../http/format.decorator.js';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import {
  AnyOf,
  BooleanParameter,
  Exactly,
  isUuid,
  PageQuery,
  Sort,
  TextParameter,
  toInstant,
} from '../http/parameters.js';
import { MODULE_TYPES } from './own-module.entity.js';
import type { OwnModuleType } from './own-module.entity.js';

/** The filters of modules; the list and its file take the same. */
export class ModuleListQuery extends PageQuery {
  @TextParameter('Part of the machine name or the title.')
  q?: string;

  @AnyOf('Type.', ['core', ...MODULE_TYPES])
  type?: string[];

  @AnyOf('Who tells of it: Drupal.org, your organization, or your sites alone.', ['drupal_org', 'own', 'unknown'])
  origin?: string[];

  @BooleanParameter(
    'true: one of your sites runs it; false: it is known and none of them does. Without it: what your sites run, and your own modules.',
  )
  installed?: boolean;

  @BooleanParameter('true: a security update of it is due on one of your sites.')
  security_update?: boolean;

  @BooleanParameter('true: any update of it is due on one of your sites.')
  update?: boolean;

  @BooleanParameter('true: an exposure of it stands open on one of your sites.')
  exposed?: boolean;

  @BooleanParameter('true: the project is given up, or one of your sites runs a version that gets no more fixes.')
  unsupported?: boolean;

  @BooleanParameter('true: its state cannot be known on one of your sites.')
  unknown?: boolean;

  @Sort(MODULE_SORTS)
  sort?: string;

  @FormatParameter()
  format?: Format;
}

export class ModuleQuery extends PageQuery {
  @TextParameter('Only the sites that run this version.')
  version?: string;

  @Sort(['name', 'exposed_since', 'installed_since'])
  sort?: string;
}

export class ModuleVersionsQuery extends PageQuery {
  @BooleanParameter('true: one of your sites runs it.')
  installed?: boolean;

  @BooleanParameter('true: it contains a security fix.')
  security_update?: boolean;

  @BooleanParameter('true: Drupal.org marks it insecure, or an advisory covers it.')
  insecure?: boolean;

  @BooleanParameter('true: its branch is supported.')
  supported?: boolean;

  @Sort(MODULE_VERSION_SORTS)
  sort?: string;
}

const PlainText = (maxLength: number): PropertyDecorator =>
  applyDecorators(
    IsString(),
    MinLength(1),
    MaxLength(maxLength),
    Matches(/^[^\p{Cc}\p{Surrogate}]*$/u, { message: '$property must not hold control characters' }),
    Matches(/\S/u, { message: '$property must not be blank' }),
  );

const WebAddress = (): PropertyDecorator =>
  applyDecorators(
    IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false, disallow_auth: true }),
    MaxLength(2048),
    Matches(/^[^\p{Cc}\p{Surrogate}]*$/u, { message: '$property must not hold control characters' }),
  );

const OrganizationChoice = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: String,
      format: 'uuid',
      description: 'Whose module it is. May be left out by members of one organization.',
    }),
    MayBeLeftOut(),
    Matches(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, { message: '$property must be a UUID' }),
  );

export class OwnReleaseBody {
  @ApiProperty({ example: '1.4.2', maxLength: 255 })
  @PlainText(255)
  version: string;

  @ApiProperty({ format: 'date-time', description: 'RFC 3339, or YYYY-MM-DD: that day’s start in UTC.' })
  @Transform(({ value }) => (typeof value === 'string' ? (toInstant(value) ?? value) : value))
  @Matches(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, { message: '$property must be RFC 3339 or YYYY-MM-DD' })
  released_at: string;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'It fixes a hole.' })
  @MayBeLeftOut()
  @IsBoolean()
  security = false;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'It must not be run any more.' })
  @MayBeLeftOut()
  @IsBoolean()
  insecure = false;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'It gets no fixes any more.' })
  @MayBeLeftOut()
  @IsBoolean()
  unsupported = false;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 2048 })
  @IsOptional()
  @WebAddress()
  link: string | null = null;
}

const Releases = (): PropertyDecorator =>
  applyDecorators(
    IsArray(),
    ArrayMaxSize(1_000),
    ArrayUnique((release: Partial<OwnReleaseBody> | null) => release?.version, {
      message: '$property must not name a version twice',
    }),
    ValidateNested({ each: true }),
    Type(() => OwnReleaseBody),
  );

export class CreateModuleBody {
  @ApiProperty({
    example: 'town_hall_forms',
    maxLength: 128,
    description:
      'Machine name, as the sites report it: the `project` of its info file. What is pushed with the origin `custom`, or without a project, is never shown.',
  })
  @Matches(/^[A-Za-z0-9_.-]{1,128}$/, { message: '$property must be a machine name of at most 128 characters' })
  name: string;

  @ApiProperty({ example: 'Forms of the town hall', maxLength: 255 })
  @PlainText(255)
  title: string;

  @ApiPropertyOptional({ enum: MODULE_TYPES, default: 'module' })
  @MayBeLeftOut()
  @IsIn(MODULE_TYPES)
  type: OwnModuleType = 'module';

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 2048, description: 'Where people read about it.' })
  @IsOptional()
  @WebAddress()
  link: string | null = null;

  @ApiPropertyOptional({ type: [OwnReleaseBody], maxItems: 1_000, description: 'In any order.' })
  @MayBeLeftOut()
  @Releases()
  releases: OwnReleaseBody[] = [];

  @OrganizationChoice()
  organization?: string;
}

export class UpdateModuleBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @MayBeLeftOut()
  @PlainText(255)
  title?: string;

  @ApiPropertyOptional({ enum: MODULE_TYPES })
  @MayBeLeftOut()
  @IsIn(MODULE_TYPES)
  type?: OwnModuleType;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 2048 })
  @IsOptional()
  @WebAddress()
  link?: string | null;

  @ApiPropertyOptional({
    type: [OwnReleaseBody],
    maxItems: 1_000,
    description: 'All releases: those left out are gone.',
  })
  @MayBeLeftOut()
  @Releases()
  releases?: OwnReleaseBody[];

  @OrganizationChoice()
  organization?: string;
}

export class RemoveModuleQuery {
  @Exactly(
    'Whose module it is, by its id; needed only where several of your organizations have one of that name.',
    isUuid,
    'a UUID',
  )
  organization?: string;
}
