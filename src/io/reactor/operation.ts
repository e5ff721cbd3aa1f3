/**
 * Where one operation stands between the program and the kernel.
 *
 * ```text
 *            submit()            room in the ring          kernel's last completion
 *   idle ───────────────▶ queued ────────────────▶ in-flight ────────────────▶ idle
 *                           │                          │ cancel()                 ▲
 *                           │ cancel()                 ▼                          │
 *                           │                      cancelling ────────────────────┤
 *                           └────────────────▶ withdrawn ─────────────────────────┘
 * ```
 *
 * - `idle`: not under way; its buffer belongs to its owner.
 * - `queued`: requested, but not yet written to the submission ring because that is full.
 * - `in-flight`: written; from here on its buffer belongs to the kernel. A multishot operation stays here from completion to
 *   completion, until one comes without the MORE flag.
 * - `cancelling`: in flight, with a request to the kernel to cancel it. Its buffer still belongs to the kernel: the operation
 *   completes once all the same, with `ECANCELED` or, when it was faster, with its result.
 * - `withdrawn`: cancelled while queued; completes with `ECANCELED` in the next poll. The kernel has never seen it.
 */
export type OperationState = "idle" | "queued" | "in-flight" | "cancelling" | "withdrawn";
