/** Whether a name's last label is a number: WHATWG URL reads such a name as an IPv4 address or rejects it. */
export function endsInNumber(name: string): boolean {
  return /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)\.?$/.test(name);
}

/** `IPv4address` of RFC 3986, 3.2.2: four numbers up to 255, without leading zeros. */
export function isIpv4Address(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** `IPv6address` of RFC 3986, 3.2.2, as WHATWG URL reads it: `::` may stand for a single group too. No zone. */
export function isIpv6Address(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  let count = groups.length;
  const last = groups.at(-1) ?? "";
  if (last.includes(".") && text.endsWith(last)) {
    if (!isIpv4Address(last)) return false;
    groups.pop();
    count++;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count <= 7 : count === 8;
}
