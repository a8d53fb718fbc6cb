import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessagingModule } from '#libs/outbox';
import type { Logger, ServiceConfig } from '#libs/runtime';
import { EraseDataConsumer } from './erasure/erase-data.consumer.js';
import { ExportDataController } from './export/export-data.controller.js';
import { AlertPeopleService } from './alert/alert-people.service.js';
import { ExposuresChangedConsumer } from './alert/exposures-changed.consumer.js';
import { DeliveriesService } from './delivery/deliveries.service.js';
import { DeliveryRepository } from './delivery/delivery.repository.js';
import { MAIL_TRANSPORT, type MailTransport } from './delivery/mail-transport.js';
import { LOGGER, SEND_MAIL_SETTINGS, SendMailService, type SendMailSettings } from './delivery/send-mail.service.js';
import { IdentityChangedConsumer } from './identity/identity-changed.consumer.js';
import { IdentityRepository } from './identity/identity.repository.js';
import { IdentityService } from './identity/identity.service.js';
import { InboxRepository } from './inbox/inbox.repository.js';
import { InboxService } from './inbox/inbox.service.js';
import { WriteLettersService } from './letter/write-letters.service.js';

export interface NotifierParts {
  readonly config: ServiceConfig;
  /** Initialised; the service's own. */
  readonly dataSource: DataSource;
  /** null: no mail server is set. */
  readonly transport: MailTransport | null;
  readonly sending: SendMailSettings;
  readonly logger: Logger;
}

/** The wiring of the service. */
@Module({})
export class NotifierModule {
  static with({ config, dataSource, transport, sending, logger }: NotifierParts): DynamicModule {
    return {
      module: NotifierModule,
      imports: [MessagingModule.forService({ service: 'notifier', config, dataSource })],
      controllers: [ExportDataController],
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: MAIL_TRANSPORT, useValue: transport },
        { provide: SEND_MAIL_SETTINGS, useValue: sending },
        { provide: LOGGER, useValue: logger },
        IdentityRepository,
        IdentityService,
        IdentityChangedConsumer,
        EraseDataConsumer,
        InboxRepository,
        InboxService,
        DeliveryRepository,
        DeliveriesService,
        SendMailService,
        WriteLettersService,
        AlertPeopleService,
        ExposuresChangedConsumer,
      ],
    };
  }
}
