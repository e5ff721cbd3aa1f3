/**
 * A driver without a kernel: virtual time, a network and files in memory, faults, everything replayed from a seed.
 *
 * @module
 */
export { SimulatedDriver, type SimulatedDriverOptions } from "./simulated_driver.ts";
export {
  type SimulatedFault,
  type SimulatedFaultOptions,
  SimulatedFaults,
  type SimulatedOperationKind,
} from "./simulated_faults.ts";
export { SimulatedFileSystem, type SimulatedFileSystemOptions } from "./simulated_file_system.ts";
export { SimulatedNetwork, type SimulatedNetworkOptions } from "./simulated_network.ts";
