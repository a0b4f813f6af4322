/** What tests stand on. `kubectl.ts` runs the real command-line tools. */

export { startContainerd, type TestContainerd, whyNoTestContainers } from './containerd.ts';
export { type CommandOutput, helmPath, kubectl, kubectlPath } from './kubectl.ts';
