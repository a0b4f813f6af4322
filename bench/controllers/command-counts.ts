import type { TestCluster } from '@periplus/testing';

const COUNTED = /^controller_commands_total\{controller="([^"]+)"\} (\d+)$/gm;

/** Commands that each controller has sent so far, by its name. */
export async function commandCounts(cluster: TestCluster): Promise<Record<string, number>> {
  const { controllerManagerHealth } = cluster.settings.ports;
  const response = await fetch(`http://127.0.0.1:${controllerManagerHealth}/metrics`);
  if (!response.ok) throw new Error(`GET /metrics answered ${response.status}`);
  const page = await response.text();
  return Object.fromEntries([...page.matchAll(COUNTED)].map(([, name, count]) => [name!, Number(count)]));
}

/** Of those that have sent any since `before`. */
export async function commandsSince(
  before: Record<string, number>,
  cluster: TestCluster,
): Promise<Record<string, number>> {
  const now = await commandCounts(cluster);
  const since = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(since.filter(([, count]) => count > 0));
}
