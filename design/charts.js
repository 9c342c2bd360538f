// What the pages' charts need of Apache ECharts; `npm run charts` makes static/vendor/echarts.js of it.
export { init, use } from "echarts/core";
export { BarChart, LineChart } from "echarts/charts";
export { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
export { CanvasRenderer } from "echarts/renderers";
