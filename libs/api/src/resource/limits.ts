/** How large things of `resource.k8s.io` may be: constants of Kubernetes' API, which may only ever grow. */

export const DRIVER_LENGTH_MAX = 63;
export const DOMAIN_LENGTH_MAX = 63;
/** Of an attribute that is a text or a version. */
export const TEXT_LENGTH_MAX = 64;
/** Attributes and capacities of one device together. */
export const DEVICE_PROPERTIES_MAX = 32;
