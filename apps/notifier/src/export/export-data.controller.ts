import { exportsData } from '#libs/outbox';

/** This service's part in the export of an organization's or a person's data. Not what letters said: some hold links that are good once. */
export const ExportDataController = exportsData('notifier', { secret: /_body$/ });
