import type { Claim, Class, DeviceRequest, ExactRequest } from './resource-types.ts';

/** What satisfies a request: it, or one of its alternatives. */
export interface Alternative {
  /** As allocations name it: `<request>` or `<request>/<alternative>`. */
  readonly name: string;
  readonly class: Class;
  readonly asked: ExactRequest;
}

/** A request of a claim: the first of the alternatives that can be had is had. */
export interface WantedDevices {
  readonly name: string;
  readonly alternatives: readonly Alternative[];
}

function asked({ name, exactly, firstAvailable = [] }: DeviceRequest): { name: string; asked: ExactRequest }[] {
  if (exactly) return [{ name, asked: exactly }];
  return firstAvailable.map((alternative) => ({ name: `${name}/${alternative.name}`, asked: alternative }));
}

/** What a claim asks for, in its order, or why that can't be had anywhere. */
export function wantedDevices(
  { metadata, spec }: Claim,
  classOf: (name: string) => Class | undefined,
): readonly WantedDevices[] | string {
  const wanted: WantedDevices[] = [];
  for (const request of spec.devices?.requests ?? []) {
    const alternatives: Alternative[] = [];
    for (const one of asked(request)) {
      const ofClass = classOf(one.asked.deviceClassName);
      if (!ofClass) return `request ${one.name}: device class ${one.asked.deviceClassName} does not exist`;
      alternatives.push({ ...one, class: ofClass });
    }
    if (alternatives.length === 0) {
      return `resource claim ${metadata.namespace}/${metadata.name}, request ${request.name}: unknown request type`;
    }
    wanted.push({ name: request.name, alternatives });
  }
  return wanted;
}
