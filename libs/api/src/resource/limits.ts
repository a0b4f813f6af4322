/** How large things of `resource.k8s.io` may be: constants of Kubernetes' API, which may only ever grow. */

export const DRIVER_LENGTH_MAX = 63;
export const DOMAIN_LENGTH_MAX = 63;
export const IDENTIFIER_LENGTH_MAX = 32;
export const POOL_LENGTH_MAX = 253;
/** Of an attribute that is a text or a version. */
export const TEXT_LENGTH_MAX = 64;
/** Attributes and capacities of one device together. */
export const DEVICE_PROPERTIES_MAX = 32;

export const REQUESTS_MAX = 32;
export const SUBREQUESTS_MAX = 8;
export const SELECTORS_MAX = 32;
export const CONSTRAINTS_MAX = 32;
export const CONFIGS_MAX = 32;
/** Of the class and of the claim together. */
export const ALLOCATED_CONFIGS_MAX = 2 * CONFIGS_MAX;
export const RESULTS_MAX = 32;
export const CONSUMERS_MAX = 256;
export const EXPRESSION_BYTES_MAX = 10 * 1024;
export const EXPRESSION_COST_MAX = 1_000_000;
/** Of one object, which takes that long to check. Kubernetes leaves it to the size of the object. */
export const EXPRESSIONS_MAX = 512;
export const EXPRESSIONS_BYTES_MAX = 128 * 1024;
/** Parameters of a driver, and what it says of a device. */
export const OPAQUE_BYTES_MAX = 10 * 1024;

export const DEVICES_MAX = 128;
/** Of devices with taints, or with counters that they share. */
export const ADVANCED_DEVICES_MAX = 64;
export const TAINTS_MAX = 16;
export const COUNTER_SETS_MAX = 8;
export const COUNTERS_MAX = 32;
/** Of one device. */
export const CONSUMED_COUNTER_SETS_MAX = 2;
export const BINDING_CONDITIONS_MAX = 4;
export const VALID_VALUES_MAX = 10;

export const DEVICE_CONDITIONS_MAX = 8;
export const ADDRESSES_MAX = 16;
export const INTERFACE_NAME_LENGTH_MAX = 256;
export const HARDWARE_ADDRESS_LENGTH_MAX = 128;
