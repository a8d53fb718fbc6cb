import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { AnyOf, BooleanParameter, Exactly, isModuleName, PageQuery, Sort, TextParameter } from '../http/parameters.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { KEY_PURPOSES } from '../site-key/api-key.entity.js';
import type { KeyPurpose } from '../site-key/api-key.entity.js';
import { SiteAddress } from './site-address.js';
import { ENVIRONMENTS } from './site.entity.js';
import type { Environment } from './site.entity.js';

export class CreateSiteBody {
  @ApiProperty({ example: 'Town hall', maxLength: 255 })
  @PlainText(255)
  name: string;

  @ApiProperty({ example: 'https://www.example.org', description: 'Where people open the site.', maxLength: 2048 })
  @SiteAddress()
  url: string;

  @ApiPropertyOptional({ enum: ENVIRONMENTS, default: 'prod' })
  @MayBeLeftOut()
  @IsIn(ENVIRONMENTS)
  environment: Environment = 'prod';

  @ApiPropertyOptional({
    format: 'uuid',
    description: 'The organization it belongs to. May be left out by members of one.',
  })
  @MayBeLeftOut()
  @Matches(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, { message: '$property must be a UUID' })
  organization?: string;
}

export class ChangeSiteBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ description: 'Where people open the site.', maxLength: 2048 })
  @MayBeLeftOut()
  @SiteAddress()
  url?: string;

  @ApiPropertyOptional({ enum: ENVIRONMENTS })
  @MayBeLeftOut()
  @IsIn(ENVIRONMENTS)
  environment?: Environment;
}

export class CreateKeyBody {
  @ApiPropertyOptional({ enum: KEY_PURPOSES, default: 'push' })
  @MayBeLeftOut()
  @IsIn(KEY_PURPOSES)
  purpose: KeyPurpose = 'push';

  @ApiPropertyOptional({ minimum: 1, maximum: 87_600, description: 'Without it the key lives until it is revoked.' })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(87_600)
  expires_in_hours?: number;
}

export const SITE_SORTS = [
  'name',
  'created_at',
  'last_push_at',
  'security_updates',
  'updates',
  'exposed_since',
  'open_exposures',
];

export class SiteListQuery extends PageQuery {
  @TextParameter('Part of the name or the address.')
  q?: string;

  @AnyOf('Environment.', ENVIRONMENTS)
  environment?: string[];

  @BooleanParameter('true: sites with an open exposure; false: those without.')
  exposed?: boolean;

  @AnyOf('How the site reports.', ['waiting', 'reporting', 'silent'])
  reporting?: string[];

  @BooleanParameter('true: sites whose pushes are held until somebody decides; false: the others.')
  quarantined?: boolean;

  @Exactly('Sites that run this module.', isModuleName, 'one machine name')
  module?: string;

  @Sort(SITE_SORTS)
  sort?: string;
}

export class SiteModulesQuery extends PageQuery {
  @AnyOf('Group of the list.', ['security', 'update', 'current', 'unknown'])
  group?: string[];
}
