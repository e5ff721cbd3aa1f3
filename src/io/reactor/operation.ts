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
 * - `idle`: not under way; its buffer is its owner's.
 * - `queued`: asked for, not yet written to the submission ring because that is full.
 * - `in-flight`: written; from here on its buffer is the kernel's. A multishot operation stays here from completion to
 *   completion, until one comes without the MORE flag.
 * - `cancelling`: in flight, and the kernel has been asked to end it. Its buffer is still the kernel's: cancelling is a
 *   request, and the operation completes once all the same, with `ECANCELED` or, when it was faster, with its result.
 * - `withdrawn`: cancelled while queued; completes with `ECANCELED` in the next poll without having met the kernel.
 */
export type OperationState = "idle" | "queued" | "in-flight" | "cancelling" | "withdrawn";
