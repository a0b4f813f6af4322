import { at, badRequest, type DeepReadonly, type FieldError, invalid, type KubeObject } from '@periplus/apimachinery';

interface Container {
  name: string;
}

/** What the choice of a container needs of a pod. */
export type PodObject = KubeObject & {
  spec: {
    nodeName?: string;
    containers: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
  };
};

/** Options that the node-agent understands as they are. */
const PASSED_ON = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes'] as const;

/**
 * The query of a log request, checked, as it is sent to the node. Throws Invalid in Kubernetes' words.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
 */
export function logQuery(pod: string, query: URLSearchParams): URLSearchParams {
  const errors: FieldError[] = [];
  const checkWhole = (name: string, min: number, words: string): void => {
    const text = query.get(name);
    if (text === null) return;
    if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) < min) errors.push(at(name).invalid(Number(text), words));
  };
  checkWhole('tailLines', 0, 'must be greater than or equal to 0');
  checkWhole('limitBytes', 1, 'must be greater than 0');
  if (query.has('sinceTime') && query.has('sinceSeconds')) {
    errors.push(at('').forbidden('at most one of `sinceTime` or `sinceSeconds` may be specified'));
  } else {
    checkWhole('sinceSeconds', 1, 'must be greater than 0');
  }
  const since = query.get('sinceTime');
  if (since !== null && Number.isNaN(Date.parse(since))) {
    throw badRequest(`parsing time ${JSON.stringify(since)} as "2006-01-02T15:04:05Z07:00": cannot parse it`);
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors);
  const passed = new URLSearchParams();
  for (const name of PASSED_ON) {
    const value = query.get(name);
    if (value !== null) passed.set(name, value);
  }
  return passed;
}

/** The container whose log is meant. Throws BadRequest where none or an unknown one is named. */
export function chosenContainer(pod: DeepReadonly<PodObject>, asked: string | null): string {
  const names = (containers: readonly Container[] | undefined): string[] => (containers ?? []).map(({ name }) => name);
  const { containers, initContainers, ephemeralContainers } = pod.spec;
  const podName = pod.metadata.name;
  const choices = names(containers);
  if (!asked) {
    if (choices.length === 1) return choices[0]!;
    const init = names(initContainers);
    const ephemeral = names(ephemeralContainers);
    let message = `a container name must be specified for pod ${podName}, choose one of: [${choices.join(' ')}]`;
    if (init.length > 0) message += ` or one of the init containers: [${init.join(' ')}]`;
    if (ephemeral.length > 0) message += ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
    throw badRequest(message);
  }
  if ([...choices, ...names(initContainers), ...names(ephemeralContainers)].includes(asked)) return asked;
  throw badRequest(`container ${asked} is not valid for pod ${podName}`);
}
