import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { build } from 'esbuild';
import { MailServer } from '../../test/mail-server.js';

/** Runs `code` as a module of a Node process of its own, with our sources compiled in: Jest cannot load the mailer. */
async function runInNode(code: string): Promise<{ exitCode: number | null; output: string }> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: 'apps/notifier/src/delivery', loader: 'ts' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
  });
  const child = spawn(process.execPath, ['--input-type=module', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(outputFiles[0]!.text);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return { exitCode, output };
}

describe('the mailer', () => {
  it('hands a mail to a real server, and tells a refusal for good from one for now', async () => {
    const server = await MailServer.open();
    server.refusal = (address) =>
      address.startsWith('gone')
        ? { code: 550, text: 'No such user' }
        : address.startsWith('later')
          ? { code: 451, text: 'Greylisted' }
          : undefined;
    try {
      const { exitCode, output } = await runInNode(`
        import { openMailer } from './mailer-transport.ts';
        import { isRefusal } from './mail-transport.ts';
        const mailer = await openMailer(${JSON.stringify(server.url)}, 'Patchwatch <watch@example.org>');
        const mail = { deliveryId: 'a-b-c', subject: 'Süb – ject', text: 'text', html: '<p>html</p>', headers: { 'X-Patchwatch-Kind': 'test' } };
        const outcome = (to) => mailer.send({ ...mail, to }).then(() => 'sent', (error) => (isRefusal(error) ? 'refused' : 'later'));
        const outcomes = [];
        for (const to of ['ada@example.org', 'gone@example.org', 'later@example.org']) outcomes.push(await outcome(to));
        await mailer.close();
        console.log(JSON.stringify(outcomes));
      `);
      expect({ exitCode, output: output.trim().split('\n').at(-1) }).toEqual({
        exitCode: 0,
        output: '["sent","refused","later"]',
      });
      expect(server.mails).toHaveLength(1);
      expect(server.mails[0]).toMatchObject({ from: 'watch@example.org', to: ['ada@example.org'] });
      expect(server.mails[0]!.source).toMatch(/^Message-ID: <a-b-c@example\.org>\r$/m);
      expect(server.mails[0]!.source).toMatch(/^X-Patchwatch-Kind: test\r$/m);
    } finally {
      await server.close();
    }
  });
});
