/** Expressions that choose devices. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/ */
import { type DeepReadonly, parseQuantity, type Quantity } from '@periplus/apimachinery';
import {
  type CompiledExpression,
  CompileError,
  compile,
  type Environment,
  EvaluationError,
  type Extent,
  kubernetesEnvironment,
  parseSemver,
} from '@periplus/cel';
import type { IDevice } from 'kubernetes-models/resource.k8s.io/v1/Device';
import type { IDeviceAttribute } from 'kubernetes-models/resource.k8s.io/v1/DeviceAttribute';
import { DEVICE_PROPERTIES_MAX, DOMAIN_LENGTH_MAX, DRIVER_LENGTH_MAX, TEXT_LENGTH_MAX } from './limits.ts';

export { CompileError, EvaluationError };

type Device = DeepReadonly<IDevice>;
type Attribute = bigint | boolean | string | ReturnType<typeof parseSemver>;
/** Whether the device of the driver is one of those that are meant. Throws EvaluationError. */
export type DeviceSelector = (driver: string, device: Device) => boolean;

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** Properties by domain. A domain that is not there has none of them, rather than being an error. */
class Domains<V> extends Map<string, ReadonlyMap<string, V>> {
  override get(domain: string): ReadonlyMap<string, V> {
    return super.get(domain) ?? NOTHING;
  }
}
// What takes it for a map looks at its constructor.
Object.defineProperty(Domains.prototype, 'constructor', { value: Map });

/** A name without a domain belongs to the driver's. */
function byDomain<P, V>(
  properties: Readonly<Record<string, P>> | undefined,
  driver: string,
  read: (name: string, property: P) => V,
): Domains<V> {
  const domains = new Map<string, Map<string, V>>();
  for (const name in properties) {
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    const values = domains.get(domain) ?? new Map<string, V>();
    values.set(name.slice(slash + 1), read(name, properties[name]!));
    domains.set(domain, values);
  }
  return new Domains(domains);
}

function attributeOf(name: string, { int, bool, string, version }: DeepReadonly<IDeviceAttribute>): Attribute {
  if (int !== undefined) return BigInt(int);
  if (bool !== undefined) return bool;
  if (string !== undefined) return string;
  if (version === undefined) throw new EvaluationError(`attribute ${name}: unsupported attribute value`);
  try {
    return parseSemver(version);
  } catch (error) {
    throw new EvaluationError(`attribute ${name}: parse semantic version: ${(error as Error).message}`);
  }
}

/** A device as expressions see it. */
class SelectedDevice {
  readonly driver: string;
  readonly allowMultipleAllocations: boolean;
  readonly attributes: Domains<Attribute>;
  readonly capacity: Domains<Quantity>;

  constructor(driver: string, { allowMultipleAllocations = false, attributes, capacity }: Device) {
    this.driver = driver;
    this.allowMultipleAllocations = allowMultipleAllocations;
    this.attributes = byDomain(attributes, driver, attributeOf);
    this.capacity = byDomain(capacity, driver, (_name, { value }) => parseQuantity(value));
  }
}

/** A slice's devices are looked at again and again, by each claim. */
const selectedDevices = new WeakMap<Device, SelectedDevice>();

function selectedDevice(driver: string, device: Device): SelectedDevice {
  const known = selectedDevices.get(device);
  if (known?.driver === driver) return known;
  const selected = new SelectedDevice(driver, device);
  selectedDevices.set(device, selected);
  return selected;
}

const text = (length: number): Extent => ({ length, item: null });
const properties = (item: Extent): Extent => ({
  length: DEVICE_PROPERTIES_MAX,
  isKeyed: true,
  // The length is that of the keys, too.
  item: { length: Math.max(DEVICE_PROPERTIES_MAX, DOMAIN_LENGTH_MAX), isKeyed: true, item },
});
const EXTENTS: Readonly<Record<string, Extent>> = {
  device: {
    length: 1,
    item: null,
    fields: {
      driver: text(DRIVER_LENGTH_MAX),
      allowMultipleAllocations: text(1),
      attributes: properties(text(TEXT_LENGTH_MAX)),
      capacity: properties(text(1)),
    },
  },
};

let environment: Environment | null = null;

function environmentOfDevices(): Environment {
  const fields = {
    driver: 'string',
    allowMultipleAllocations: 'bool',
    attributes: 'map<string, map<string, dyn>>',
    capacity: 'map<string, map<string, kubernetes.Quantity>>',
  };
  environment ??= kubernetesEnvironment()
    .registerType('kubernetes.DRADevice', { ctor: SelectedDevice, fields })
    .registerVariable('device', 'kubernetes.DRADevice');
  return environment;
}

/** The expression, with what it costs at most. Throws CompileError, as Kubernetes words it. */
export function compileSelectorExpression(expression: string): CompiledExpression {
  let compiled: CompiledExpression;
  try {
    compiled = compile(environmentOfDevices(), expression, EXTENTS);
  } catch (error) {
    if (error instanceof CompileError) throw new CompileError(`compilation failed: ${error.message}`, { cause: error });
    throw error;
  }
  if (compiled.type === 'bool' || compiled.type === 'dyn') return compiled;
  // The types of attributes are not known before there is a device.
  const type = compiled.type.replaceAll('dyn', 'google.protobuf.Any');
  throw new CompileError(`must evaluate to bool or the unknown type, not ${type}`);
}

/** Compiles the expression of a selector that was found to be valid. Throws CompileError. */
export function compileDeviceSelector(expression: string): DeviceSelector {
  const { evaluate } = compileSelectorExpression(expression);
  return (driver, device) => {
    const result = evaluate({ device: selectedDevice(driver, device) });
    if (typeof result === 'boolean') return result;
    const type = typeof result === 'bigint' ? 'int' : typeof result;
    throw new EvaluationError(`CEL result of type ${type} could not be converted to bool`);
  };
}
