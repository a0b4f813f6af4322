/**
 * What one pod of 1.7 KB costs on its way in: `node libs/api/bench/pod.ts` prints microseconds as JSON,
 * the median of several rounds.
 */

import { type Pod, pod } from '@periplus/api';
import { FieldPath } from '@periplus/apimachinery';

const PODS = 20_000;
const ROUNDS = 7;

const item = (text: string): Pod => JSON.parse(text) as Pod;
const token = '/var/run/secrets/kubernetes.io/serviceaccount';
const text = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'hello-6d4b75cb6d-abcde',
    generateName: 'hello-6d4b75cb6d-',
    namespace: 'hello',
    labels: { app: 'hello', 'pod-template-hash': '6d4b75cb6d' },
    annotations: { 'example.com/team': 'platform' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'hello-6d4b75cb6d',
        uid: '0e9a6f0a-8a0c-4f3c-9f0a-000000000001',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    serviceAccountName: 'default',
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/hello/web:1.2.3',
        args: ['--port', '8080'],
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'hello', key: 'greeting' } } },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hello', key: 'token' } } },
          { name: 'MODE', value: 'production' },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 5 },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/hello' },
          { name: 'kube-api-access-abcde', mountPath: token, readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'hello' } },
      {
        name: 'kube-api-access-abcde',
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
          ],
        },
      },
    ],
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  },
});

const root = new FieldPath();
const times: Record<string, number[]> = { parse: [], setDefaults: [], prepareForCreate: [], validate: [] };

function measure(name: string, run: () => void): void {
  const started = performance.now();
  run();
  times[name]?.push(((performance.now() - started) / PODS) * 1000);
}

for (let round = 0; round < ROUNDS; round++) {
  let pods: Pod[] = [];
  measure('parse', () => {
    pods = Array.from({ length: PODS }, () => item(text));
  });
  measure('setDefaults', () => pods.forEach(pod.setDefaults));
  measure('prepareForCreate', () => pods.forEach(pod.prepareForCreate));
  measure('validate', () => {
    for (const object of pods) if (pod.validate(object, root).length > 0) throw new Error('the pod is fine');
  });
}

const medians = Object.entries(times).map(([name, all]) => {
  const median = all.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  return [name, Number(median.toFixed(2))];
});
process.stdout.write(`${JSON.stringify({ bytes: text.length, microseconds: Object.fromEntries(medians) })}\n`);
