import { exportsData } from '#libs/outbox';

/** This service's part in the export of an organization's or a person's data. */
export const ExportDataController = exportsData('catalog');
