import type { EndpointTable } from './endpoint-table';

/** One engine that requests can be sent to. */
export interface Endpoint {
  /** For example the pod's name; unique together with `hostPort`. */
  readonly name: string;
  /** @default none */
  readonly namespace?: string;
  /** The pod, where the endpoint is one of its ports. @default none */
  readonly podName?: string;
  /** Address of the pod's node. @default unknown */
  readonly nodeAddress?: string;
  /** Tells successive pods of one name and address apart. @default none */
  readonly uid?: string;
  /** IPv4 or IPv6 literal, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Requests go to ready endpoints only. */
  readonly ready: boolean;
  /** As the proxy wants it: `10.0.0.1:8000` or `[fd00::1]:8000`. */
  readonly hostPort: string;
}

/** The endpoints at one moment. Never changed: a different set is another snapshot. */
export interface EndpointSnapshot {
  /** Grows with every change. */
  readonly version: number;
  readonly table: EndpointTable;
  /** Slots of the ready endpoints. */
  readonly ready: Int32Array;
  /** By slot; undefined where a slot is free. */
  readonly endpoints: readonly (Endpoint | undefined)[];
  /** Slot of `ip:port`. */
  readonly byHostPort: ReadonlyMap<string, number>;
  /** Slots of a bare address. */
  readonly byAddress: ReadonlyMap<string, readonly number[]>;
}

/** Where the scheduler finds the snapshot in force; replaced as a whole. */
export interface EndpointSource {
  readonly snapshot: EndpointSnapshot;
}

/** `ip:port`, with brackets around IPv6. */
export function formatHostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
