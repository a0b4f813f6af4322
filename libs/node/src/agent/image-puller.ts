import { type Cri, describeCriError, type Image, type RegistryAuth } from '@periplus/cri';
import { type Backoff, nextBackoff, retryAt } from '../pod/crash-backoff.ts';
import type { Container, Pod } from '../pod/pod-types.ts';
import { StartError } from './start-error.ts';

/** Pulls under way at once; more wait. */
const PULLS_MAX = 3;
const RETRY_MS = 10_000;

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
/** `[host[:port]/]path[:tag][@digest]`. https://pkg.go.dev/github.com/distribution/reference */
const REFERENCE = new RegExp(
  `^(?:(?:[A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+\\])(?::\\d+)?/)?${COMPONENT}(?:/${COMPONENT})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

export type TellPod = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

interface Failure {
  backoff: Backoff;
  failedMs: number;
  message: string;
}

/**
 * Gets images onto the node as `imagePullPolicy` says; pods that want the same image share one pull.
 * https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
 */
export class ImagePuller {
  private readonly cri: Cri;
  private readonly now: () => number;
  private readonly pulls = new Map<string, Promise<string>>();
  private readonly failures = new Map<string, Failure>();
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(cri: Cri, now: () => number) {
    this.cri = cri;
    this.now = now;
  }

  /** Resolves with the image, or rejects with StartError. `tell` records Events about the container. */
  async ensure(pod: Pod, container: Container, auths: readonly RegistryAuth[], tell: TellPod): Promise<Image> {
    const name = container.image ?? '';
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    if (!REFERENCE.test(name)) {
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`;
      tell('Warning', 'InspectFailed', message);
      throw new StartError('InvalidImageName', message, this.now() + RETRY_MS);
    }
    const present = await this.lookUp(name, tell);
    if (present && policy !== 'Always') {
      tell('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${name}" is not present with pull policy of Never`;
      tell('Warning', 'ErrImageNeverPull', message);
      throw new StartError('ErrImageNeverPull', message, this.now() + RETRY_MS);
    }
    return this.pullFor(`${pod.metadata.uid}/${name}`, name, auths, tell);
  }

  forget(uid: string): void {
    for (const key of this.failures.keys()) if (key.startsWith(`${uid}/`)) this.failures.delete(key);
  }

  private async lookUp(name: string, tell: TellPod): Promise<Image | undefined> {
    try {
      return await this.cri.image(name);
    } catch (error) {
      const message = `Failed to inspect image "${name}": ${describeCriError(error)}`;
      tell('Warning', 'InspectFailed', message);
      throw new StartError('ImageInspectError', message, this.now() + RETRY_MS);
    }
  }

  private async pullFor(key: string, name: string, auths: readonly RegistryAuth[], tell: TellPod): Promise<Image> {
    const failed = this.failures.get(key);
    const againMs = failed ? retryAt(failed.backoff, failed.failedMs) : undefined;
    if (failed && againMs !== undefined && againMs > this.now()) {
      tell('Normal', 'BackOff', `Back-off pulling image "${name}"`);
      tell('Warning', 'Failed', 'Error: ImagePullBackOff');
      throw new StartError(
        'ImagePullBackOff',
        `Back-off pulling image "${name}": ErrImagePull: ${failed.message}`,
        againMs,
      );
    }
    tell('Normal', 'Pulling', `Pulling image "${name}"`);
    const startedMs = this.now();
    try {
      const reference = await this.pull(name, auths);
      const image = (await this.cri.image(reference)) ?? (await this.cri.image(name));
      if (!image) throw new Error(`image "${name}" is not there after it was pulled`);
      this.failures.delete(key);
      const took = `${((this.now() - startedMs) / 1_000).toFixed(3)}s`;
      const size = `Image size: ${image.sizeBytes} bytes.`;
      tell('Normal', 'Pulled', `Successfully pulled image "${name}" in ${took} (${took} including waiting). ${size}`);
      return image;
    } catch (error) {
      const message = describeCriError(error);
      const nowMs = this.now();
      this.failures.set(key, { backoff: nextBackoff(failed?.backoff, nowMs, nowMs), failedMs: nowMs, message });
      tell('Warning', 'Failed', `Failed to pull image "${name}": ${message}`);
      tell('Warning', 'Failed', 'Error: ErrImagePull');
      // The next look finds the back-off and says so.
      throw new StartError('ErrImagePull', message, nowMs + 1_000);
    }
  }

  private pull(name: string, auths: readonly RegistryAuth[]): Promise<string> {
    // Credentials belong to a pod, so only pulls without any are shared.
    if (auths.length > 0) return this.inTurn(() => this.pullWith(name, auths));
    const under = this.pulls.get(name);
    if (under) return under;
    const pull = this.inTurn(() => this.cri.pullImage(name)).finally(() => this.pulls.delete(name));
    this.pulls.set(name, pull);
    return pull;
  }

  /** The first credentials that work; none at all when none does. */
  private async pullWith(name: string, auths: readonly RegistryAuth[]): Promise<string> {
    for (const auth of auths) {
      try {
        return await this.cri.pullImage(name, auth);
      } catch {
        // another one may fit
      }
    }
    return this.cri.pullImage(name);
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= PULLS_MAX) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
    try {
      return await work();
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }
}
