import type { EtcdMember, EtcdMemberPlan } from './etcd-member.ts';

const FOLDER = '/etcd';
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

/** Containers of one cluster find each other by their names on a network of their own. */
export interface EtcdContainerNetwork {
  start(plan: EtcdMemberPlan, image: string): Promise<EtcdMember>;
  remove(): Promise<void>;
}

/** Whether a Docker engine answers, at DOCKER_HOST or where testcontainers looks by default. */
export async function dockerAnswers(): Promise<boolean> {
  // Without its reaper, which would have to be pulled; what a test leaves behind is labelled org.testcontainers=true.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

export async function createEtcdNetwork(): Promise<EtcdContainerNetwork> {
  const { GenericContainer, getContainerRuntimeClient, Network, Wait } = await import('testcontainers');
  const network = await new Network().start();
  const runtime = await getContainerRuntimeClient();

  return {
    async start(plan, image) {
      const { name, endpoint, folder, clientPort } = plan;
      const args = plan.args({ host: '0.0.0.0', clientPort: CLIENT_PORT, peerPort: PEER_PORT, folder: FOLDER });
      const started = await new GenericContainer(image)
        .withAutoCleanup(false)
        .withNetwork(network)
        .withNetworkAliases(name)
        .withExposedPorts({ container: CLIENT_PORT, host: clientPort })
        .withBindMounts([{ source: folder, target: FOLDER }])
        .withCommand(['etcd', ...args])
        // A member alone is not ready before the others are: whoever starts the cluster waits for that.
        .withWaitStrategy(Wait.forLogMessage(/.*/))
        .start();
      const container = runtime.container.getById(started.getId());
      return {
        name,
        endpoint,
        start: () => container.start(),
        pause: () => container.pause(),
        resume: () => container.unpause(),
        async kill() {
          await container.kill({ signal: 'SIGKILL' });
          await container.wait();
        },
        async stop() {
          await container.stop();
        },
        async log() {
          return (await container.logs({ stdout: true, stderr: true })).toString('utf8');
        },
        async remove() {
          await container.remove({ force: true, v: true });
        },
      };
    },
    async remove() {
      await network.stop();
    },
  };
}
