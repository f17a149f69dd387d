// What is used of asciichart 1.5, which brings no types.
declare module "asciichart" {
  interface PlotConfig {
    readonly height?: number;
    readonly format?: (value: number) => string;
    readonly colors?: readonly (string | undefined)[];
  }
  const asciichart: {
    readonly green: string;
    plot(series: readonly number[], config?: PlotConfig): string;
  };
  export default asciichart;
}
