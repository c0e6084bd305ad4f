/** `1000 tokens in 60 s`, `8 requests at one time`. @param windowSeconds undefined for what is limited at one time */
export function limitText(unit: string, amount: number, windowSeconds: number | undefined): string {
  return windowSeconds === undefined ? `${amount} requests at one time` : `${amount} ${unit} in ${windowSeconds} s`;
}
