import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtinKinds, pod as podKind } from '@periplus/api';
import { openResourceClient } from '@periplus/client';
import { ConfigReader } from '@periplus/component';
import { configuredScheduler, type Explanation, explain, SCHEDULER_RESOURCES } from '@periplus/scheduling';
import { clusterFolder, loadSettings, readStatus } from '@periplus/supervisor';

export interface ExplainOptions {
  name: string;
  namespace: string;
  json?: boolean;
}

const podName = (object: string): string => {
  const match = /^(?:pods?|po)\/(.+)$/.exec(object);
  if (!match) throw new Error(`only pods can be explained: pod/NAME, not ${object}`);
  return match[1]!;
};

/** Tells what the scheduler thinks of each node for a pod: which filter refuses it there, or what the scores give. */
export async function explainPod(object: string, { name, namespace, json = false }: ExplainOptions): Promise<void> {
  const folder = clusterFolder(name);
  const settings = loadSettings(folder);
  if (!settings || !readStatus(folder)) throw new Error(`cluster ${name} is not up; start it with: periplus up`);
  const pem = (file: string): Buffer => readFileSync(join(folder.pki, file));
  const client = openResourceClient({
    targets: [`127.0.0.1:${settings.ports.grpc}`],
    tls: { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') },
  });
  try {
    const pod = await client.get(podKind, namespace, podName(object));
    const kinds = builtinKinds();
    const read = await Promise.all(
      SCHEDULER_RESOURCES.map(async ({ group, resource }) => {
        const kind = kinds.storageKind(group, resource)!;
        return { kind, items: (await client.list(kind, '')).items };
      }),
    );
    const { profiles } = configuredScheduler(new ConfigReader(settings.scheduler ?? {}, 'scheduler'));
    const explanation = explain(pod, read, profiles);
    process.stdout.write(json ? `${JSON.stringify(explanation, null, 2)}\n` : shown(explanation));
  } finally {
    client.close();
  }
}

function shown({ node, message, preemption, nodes }: Explanation): string {
  const where = node === null ? 'It has no node.' : `It is on ${node}.`;
  const lines = nodes.map((verdict) => {
    const { refusedBy, scores, total } = verdict;
    if (refusedBy) return `  ${verdict.node}  refused by ${refusedBy.plugin}: ${refusedBy.reasons.join(', ')}`;
    const each = Object.entries(scores).map(([plugin, score]) => `${plugin} ${score}`);
    return `  ${verdict.node}  takes it, score ${total}: ${each.join(', ')}`;
  });
  const leaving = preemption.map(
    ({ node, victims }) => `Preemption would help: ${victims.join(', ')} would leave ${node}.`,
  );
  return [where, message, ...leaving, ...lines, ''].join('\n');
}
