// The last rung but one: a container, where a Docker engine answers.
import { spawnSync } from 'node:child_process';
import { onPath } from './machine.mjs';
import { RungFailed } from './rungs.mjs';

/** Path of the docker client when its engine answers; undefined without a client. @throws RungFailed when the engine does not answer */
export function dockerClient() {
  const docker = onPath('docker');
  if (!docker) return undefined;
  const info = spawnSync(docker, ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8', timeout: 10_000 });
  if (info.status !== 0) throw new RungFailed(`${docker} is there, but no Docker engine answers`);
  return docker;
}

/** Removes the container of that name, when an earlier run left it behind. */
export function removeContainer(docker, name) {
  spawnSync(docker, ['rm', '-f', name], { stdio: 'ignore', timeout: 30_000 });
}

/** Fetches the image when it is not here, so that the wait is explained. @throws RungFailed */
export function ensureImage(docker, image, say) {
  if (spawnSync(docker, ['image', 'inspect', image], { stdio: 'ignore' }).status === 0) return;
  say(`fetching the image ${image}`);
  const pull = spawnSync(docker, ['pull', '--quiet', image], { encoding: 'utf8', timeout: 300_000 });
  if (pull.status !== 0)
    throw new RungFailed(`the image ${image} cannot be fetched: ${(pull.stderr ?? '').trim().split('\n').pop()}`);
}
