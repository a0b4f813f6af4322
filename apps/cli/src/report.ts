import type { ClusterFolder, Progress } from '@periplus/supervisor';

/** Tells what `up` does: to people in lines, to scripts in JSON lines. */
export interface Report extends Progress {
  info(message: string): void;
  ready(folder: ClusterFolder, server: string): void;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
/** Steps shorter than this are only shown when they are done. */
const SHOW_BEGIN_AFTER_MS = 2_000;

export function textReport(): Report {
  const waiting = new Map<string, NodeJS.Timeout>();
  const line = (text: string): void => void process.stdout.write(`${text}\n`);
  return {
    begin(step) {
      waiting.set(step, setTimeout(() => line(`  … waiting for ${step}`), SHOW_BEGIN_AFTER_MS).unref());
    },
    done(step, ms) {
      clearTimeout(waiting.get(step));
      line(`  ✓ ${step} (${seconds(ms)})`);
    },
    info: line,
    ready(folder, server) {
      line(`
Cluster ${folder.name} is ready at ${server}. Type next:

  export KUBECONFIG=${folder.kubeconfig}
  kubectl get nodes

Logs are in ${folder.logs}; \`periplus status\` shows its processes, \`periplus down\` ends it.`);
    },
  };
}

export function jsonReport(): Report {
  const print = (event: Record<string, unknown>): void =>
    void process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  return {
    begin: (step) => print({ event: 'begin', step }),
    done: (step, ms) => print({ event: 'done', step, ms: Math.round(ms) }),
    info: (message) => print({ event: 'info', message }),
    ready: ({ name, kubeconfig, path }, server) => print({ event: 'ready', name, server, kubeconfig, folder: path }),
  };
}
