// What the view uses of htm/preact/standalone (htm 3.1.1 with preact inside), for the type check.
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function render(tree: any, place: Element): void;
export function createContext<T>(value: T): any;
export function useContext(context: any): any;
export function useRef(value: any): { current: any };
export function useState<T>(value: T): [T, (value: T) => void];
export function useReducer<T>(step: (value: T) => T, value: T): [T, () => void];
export function useMemo<T>(compute: () => T, inputs: readonly any[]): T;
export function useEffect(work: () => unknown, inputs?: readonly any[]): void;
export function useLayoutEffect(work: () => unknown, inputs?: readonly any[]): void;
