import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { moduleDetail } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { isModuleName, PageQuery, TextParameter } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import { scopeOf } from '../identity/principal.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { Questions } from '../question/questions.service.js';

export class ModuleQuery extends PageQuery {
  @TextParameter('Only the sites that run this version.')
  version?: string;
}

const NOT_NULL = (moduleDetail.output as unknown as { anyOf: [typeof moduleDetail.output] }).anyOf[0];

@ApiTags('Modules')
@ApiBearerAuth()
@Controller('api/v1/modules')
export class ModuleController {
  constructor(private readonly questions: Questions) {}

  @Get(':name')
  @ApiOperation({ summary: 'One module: which sites run it, at which versions; paging goes over the sites' })
  @AnswersOne(NOT_NULL)
  @Refuses('not_found')
  async one(
    @Person() person: UserPrincipal,
    @Param('name') name: string,
    @Query() query: ModuleQuery,
  ): Promise<Answer<unknown>> {
    const { page, per_page, version } = query;
    const found = isModuleName(name)
      ? await this.questions.ask(moduleDetail, {
          scope: scopeOf(person),
          module: name,
          page,
          per_page,
          ...(version === undefined ? {} : { version }),
        })
      : null;
    if (found === null) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    const { meta, ...data } = found;
    return new Answer(data, { page: { page, per_page, total: meta.total }, asOf: meta.as_of });
  }
}
