import type { Node } from '@periplus/api';

export type Taint = NonNullable<Node['spec']['taints']>[number];

/** Reads `key=value:Effect` or `key:Effect`, as the kubelet's --register-with-taints takes it. Undefined when wrong. */
export function parseTaint(text: string): Taint | undefined {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  if (!match) return undefined;
  const [, key, value, effect] = match as unknown as [string, string, string | undefined, Taint['effect']];
  return { key, ...(value && { value }), effect };
}
