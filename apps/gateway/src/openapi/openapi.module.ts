import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { errorsAsPage } from '../http/problem-help.js';
import { ERROR_PAGE } from '../http/problem.js';
import { DOCS_CONTENT_SECURITY_POLICY } from '../http/security-headers.js';
import { completed } from './document.js';
import type { OpenApi } from './document.js';

/** The description of the whole API, OpenAPI 3.1. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Patchwatch')
    .setDescription(
      'Which Drupal sites are exposed to which security release, since when. Errors: [/docs/errors](/docs/errors).',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'POST /api/v1/auth/login' })
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The key of a site' }, 'site_key')
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'The key of a program; `x-key-scope` of a route says what it needs',
      },
      'integration_key',
    )
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The key of an agent that registers its site' },
      'enrolment_key',
    )
    .build();
  return completed(
    SwaggerModule.createDocument(app, config, { operationIdFactory }) as unknown as OpenApi,
  ) as unknown as OpenAPIObject;
}

/** `siteCreate`: what a generated client calls its method. */
function operationIdFactory(controller: string, method: string): string {
  const subject = controller.replace(/Controller$/, '');
  return `${subject.charAt(0).toLowerCase()}${subject.slice(1)}${method.charAt(0).toUpperCase()}${method.slice(1)}`;
}

/** Serves the pages to read: `/docs`, `/docs/openapi.json`, `/docs/errors`; `/` leads there. The document is made when it is first asked for. */
export function serveDocs(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.url.startsWith('/docs')) void reply.header('content-security-policy', DOCS_CONTENT_SECURITY_POLICY);
    done(null, payload);
  });
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Patchwatch API',
    swaggerOptions: { persistAuthorization: false },
  });
  const page = errorsAsPage();
  fastify.get(ERROR_PAGE, (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  fastify.get('/', (_request, reply) => reply.redirect('/docs', 302));
}
