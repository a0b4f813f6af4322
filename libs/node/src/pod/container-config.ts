import type { ContainerConfig, Image, Mount } from '@periplus/cri';
import { ANNOTATION, containerHash, LABEL, podLabels } from './container-names.ts';
import { expand } from './expansion.ts';
import { type Container, graceSecondsOf, type Pod } from './pod-types.ts';
import { linuxResources } from './resources.ts';
import { containerSecurity } from './security.ts';

export const terminationMessagePathOf = (container: Container): string =>
  container.terminationMessagePath ?? '/dev/termination-log';

export interface ContainerParts {
  pod: Pod;
  container: Container;
  attempt: number;
  /** What the image's name was resolved to on this node. */
  image: Image;
  environment: ReadonlyMap<string, string>;
  mounts: Mount[];
  seccompDirectory: string;
  machineMemory: number;
}

/** Throws ConfigError when the container may not run as it would. */
export function containerConfig(parts: ContainerParts): ContainerConfig {
  const { pod, container, attempt, image, environment } = parts;
  const expanded = (words: readonly string[] = []): string[] => words.map((word) => expand(word, environment));
  return {
    metadata: { name: container.name, attempt },
    image: { image: image.id },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts: parts.mounts,
    labels: { ...podLabels(pod), [LABEL.containerName]: container.name },
    annotations: {
      [ANNOTATION.hash]: containerHash(container),
      [ANNOTATION.restartCount]: String(attempt),
      [ANNOTATION.terminationMessagePath]: terminationMessagePathOf(container),
      [ANNOTATION.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [ANNOTATION.podGraceSeconds]: String(graceSecondsOf(pod)),
    },
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: linuxResources(pod, container, parts.machineMemory),
      securityContext: containerSecurity(pod, container, image, parts.seccompDirectory),
    },
  };
}
