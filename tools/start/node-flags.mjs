/**
 * Flags of Node for each service; those that are left out need none. The manifests say the same (services.spec.ts).
 *
 * The gateway answers people and sites while they wait, so its longest pauses count. Marking in steps delays more answers than marking at once does.
 * And with a young generation of Node's usual size, what belongs to requests that are still being answered is taken for old at 500 a second: then
 * some 50 ms of marking come every minute, and twice as much is copied meanwhile (`npm run bench -- identity`). It costs up to 48 MB more of memory.
 */
export const NODE_FLAGS = {
  gateway: ['--no-incremental-marking', '--max-semi-space-size=32', '--min-semi-space-size=32'],
};
