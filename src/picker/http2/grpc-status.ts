/** Status codes of gRPC that the transport itself sends (gRPC "Statuscodes"). */
export const RESOURCE_EXHAUSTED = 8;
export const UNIMPLEMENTED = 12;
export const INTERNAL = 13;
