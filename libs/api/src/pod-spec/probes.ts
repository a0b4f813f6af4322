/** Probes and lifecycle hooks. https://kubernetes.io/docs/concepts/workloads/pods/probes/ */
import { type DeepReadonly, type FieldPath, httpHeaderName, portName, portNumber } from '@periplus/apimachinery';
import type { ILifecycle } from 'kubernetes-models/v1/Lifecycle';
import type { ILifecycleHandler } from 'kubernetes-models/v1/LifecycleHandler';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import { checkNonNegative, checkRequired, type Errors } from '../field-rules.ts';

type Handler = DeepReadonly<Omit<ILifecycleHandler, 'sleep'> & Pick<IProbe, 'grpc'> & { sleep?: { seconds: number } }>;

const SCHEMES = ['HTTP', 'HTTPS'];
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

export function checkPort(errors: Errors, at: FieldPath, field: string, port: number | string | undefined): void {
  const problems = typeof port === 'string' ? portName(port) : portNumber(port ?? 0);
  for (const problem of problems) errors.push(at.child(field).invalid(port ?? 0, problem));
}

function checkHandler(errors: Errors, at: FieldPath, handler: Handler, graceSeconds: number | undefined): void {
  const [first, ...more] = HANDLERS.filter((name) => handler[name]);
  for (const name of more) errors.push(at.child(name).forbidden('may not specify more than 1 handler type'));
  if (!first) {
    errors.push(at.required('must specify a handler type'));
    return;
  }
  const place = at.child(first);
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (first === 'exec' && !exec?.command?.length) errors.push(place.child('command').required());
  if (first === 'tcpSocket') checkPort(errors, place, 'port', tcpSocket?.port);
  if (first === 'grpc') checkPort(errors, place, 'port', grpc?.port);
  if (first === 'sleep' && sleep && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > graceSeconds)) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    errors.push(place.invalid(sleep.seconds, detail));
  }
  if (first !== 'httpGet' || !httpGet) return;
  checkRequired(errors, place, 'path', httpGet.path);
  checkPort(errors, place, 'port', httpGet.port);
  if (!SCHEMES.includes(httpGet.scheme ?? '')) {
    errors.push(place.child('scheme').notSupported(httpGet.scheme ?? '', SCHEMES));
  }
  for (const { name } of httpGet.httpHeaders ?? []) {
    for (const problem of httpHeaderName(name)) errors.push(place.child('httpHeaders').invalid(name, problem));
  }
}

const TIMES = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

export interface Probes {
  livenessProbe?: DeepReadonly<IProbe>;
  readinessProbe?: DeepReadonly<IProbe>;
  startupProbe?: DeepReadonly<IProbe>;
  lifecycle?: DeepReadonly<ILifecycle>;
}

function checkProbe(
  errors: Errors,
  at: FieldPath,
  name: 'livenessProbe' | 'readinessProbe' | 'startupProbe',
  probe: DeepReadonly<IProbe> | undefined,
  graceSeconds: number | undefined,
): void {
  if (!probe) return;
  const place = at.child(name);
  checkHandler(errors, place, probe, graceSeconds);
  for (const field of TIMES) checkNonNegative(errors, place, field, probe[field]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(place.child('terminationGracePeriodSeconds').invalid(grace, 'must be greater than 0'));
  }
  if (name === 'readinessProbe') {
    if (grace !== undefined) {
      const detail = 'must not be set for readinessProbes';
      errors.push(place.child('terminationGracePeriodSeconds').invalid(grace, detail));
    }
  } else if (probe.successThreshold !== 1) {
    errors.push(place.child('successThreshold').invalid(probe.successThreshold ?? 0, 'must be 1'));
  }
}

/** `graceSeconds` is the pod's terminationGracePeriodSeconds. */
export function checkProbes(errors: Errors, at: FieldPath, container: Probes, graceSeconds: number | undefined): void {
  const { lifecycle } = container;
  if (lifecycle?.postStart) checkHandler(errors, at.child('lifecycle', 'postStart'), lifecycle.postStart, graceSeconds);
  if (lifecycle?.preStop) checkHandler(errors, at.child('lifecycle', 'preStop'), lifecycle.preStop, graceSeconds);
  checkProbe(errors, at, 'livenessProbe', container.livenessProbe, graceSeconds);
  checkProbe(errors, at, 'readinessProbe', container.readinessProbe, graceSeconds);
  checkProbe(errors, at, 'startupProbe', container.startupProbe, graceSeconds);
}

/** Init containers that are no sidecars run to their end: there is nothing to probe. */
export function forbidProbes(errors: Errors, at: FieldPath, container: Probes): void {
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    if (container[field]) {
      errors.push(at.child(field).forbidden('may not be set for init containers without restartPolicy=Always'));
    }
  }
}
