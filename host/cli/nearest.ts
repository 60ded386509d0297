export { distance, nearest } from "../config/nearest.js";
