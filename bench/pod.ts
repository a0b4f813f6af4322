/** A pod of about 1.5 KB of JSON, as a Deployment's template makes it. */
export const benchPod = (name: string, namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: { app: 'bench', tier: 'backend', 'pod-template-hash': '5d4f8c7b9d' },
    annotations: {
      'example.com/owner': 'team-a@example.com',
      'example.com/description': 'A pod of ordinary size that the benchmarks create many times.',
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8080',
    },
  },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'registry.example.com/team-a/web:1.24.3',
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/web'],
        args: ['--listen=:8080', '--log-level=info', '--workers=4'],
        env: [
          { name: 'GREETING', value: 'hello' },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'DATABASE_URL', value: 'postgres://db.example.com:5432/app?sslmode=verify-full' },
        ],
        ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        readinessProbe: {
          httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' },
          periodSeconds: 5,
          failureThreshold: 3,
        },
        livenessProbe: {
          httpGet: { path: '/livez', port: 'http', scheme: 'HTTP' },
          periodSeconds: 10,
          failureThreshold: 6,
        },
        volumeMounts: [{ name: 'config', mountPath: '/etc/web', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'web-config' } }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule' }],
    terminationGracePeriodSeconds: 30,
  },
});

/** A pod without its name: what a case makes many of. */
export interface Template {
  readonly labels?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
}

/** A pod of ordinary size, made by a template. */
export function templatePod(name: string, { labels, spec }: Template) {
  const pod = benchPod(name);
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } },
    spec: { ...pod.spec, ...spec },
  };
}
