import type { Command } from 'commander';
import { table } from './exposed-on.js';
import { Platform, platformAddresses } from './platform.js';
import { progressLine } from './progress-line.js';
import { rebuildReporting, type RebuildReport } from './rebuild-reporting.js';

interface RebuildCommandOptions {
  readonly data: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `patchwatch rebuild reporting` */
export function addRebuildCommand(program: Command): void {
  program
    .command('rebuild')
    .description('derive read models anew from the history')
    .command('reporting')
    .description(
      'rebuild reporting from ingest’s history, the catalog’s facts and the gateway’s registry, part by part while everything runs; compares what was there with what is there now, and exits with 1 when they differ without an explanation',
    )
    .option('--dry-run', 'compare, and change nothing')
    .option('--json', 'the comparison as JSON')
    .option('--data <dir>', 'data folder of a platform started here', '.data')
    .action(async (options: RebuildCommandOptions) => {
      const platform = new Platform(platformAddresses(options.data));
      const progress = progressLine();
      const stopping = new AbortController();
      process.once('SIGINT', () => stopping.abort());
      try {
        const report = await rebuildReporting(platform, {
          dryRun: options.dryRun ?? false,
          stopping: stopping.signal,
          onProgress: (done, total) =>
            progress.show(
              `registry ${done.registry}/${total.registry}, modules ${done.modules}/${total.modules}, sites ${done.sites}/${total.sites}`,
            ),
        });
        progress.end();
        if (options.json) console.log(JSON.stringify(report, null, 2));
        else console.log(describeReport(report, options.dryRun ?? false));
        if (report.unexplained > 0 || report.untold.sites.length > 0) process.exitCode = 1;
      } finally {
        await platform.close();
      }
    });
}

/** The comparison for people. */
export function describeReport(report: RebuildReport, dryRun: boolean): string {
  const lines = [
    table(
      ['read model', 'rows before', 'rows after', 'missing', 'surplus', 'different', 'of these explained'],
      Object.entries(report.counts).map(([name, { before, after }]) => {
        const { missing = 0, surplus = 0, different = 0, explained = 0 } = report.byTable[name] ?? {};
        return [name, before, after, missing, surplus, different, explained].map(String);
      }),
    ),
    '',
  ];
  for (const { subject, table: name, key, kind, columns } of report.examples)
    lines.push(`${subject}: ${name} ${key}: ${kind}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`);
  const more = report.unexplained - report.examples.length;
  if (more > 0) lines.push(`and ${more} more`);
  const { sites, advisories } = report.untold;
  if (sites.length > 0)
    lines.push(
      `reporting has inventories of ${sites.length} sites that ingest has no history of (${sites.slice(0, 10).join(', ')}); they are left as they are`,
    );
  if (advisories.length > 0)
    lines.push(
      `reporting has ${advisories.length} advisories that the catalog does not know (${advisories.slice(0, 10).join(', ')}); they are left as they are`,
    );
  if (report.explained > 0)
    lines.push(
      `${report.explained} differences are explained: their facts were on the way to reporting when this began`,
    );
  const { registry, modules, sites: count } = report.rebuilt;
  lines.push(`${registry} registry entries, ${modules} modules and ${count} sites ${dryRun ? 'compared' : 'rebuilt'}`);
  if (report.unexplained === 0) lines.push('the read models agree with the history');
  else if (dryRun) lines.push(`${report.unexplained} differences; without --dry-run they are put right`);
  else lines.push(`${report.unexplained} differences were put right; run it again: it must find none`);
  return lines.join('\n');
}
