/** What tests stand on. `kubectl.ts` runs the real command-line tools. */
export { type CommandOutput, helmPath, kubectl, kubectlPath } from './kubectl.ts';
