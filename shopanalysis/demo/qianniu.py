"""The demo shop's order files of Qianniu (千牛): orders and order lines, with made-up people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy

from shopanalysis.demo.workbooks import delimited, packed, rows_of
from shopanalysis.demo.world import World

SHOP = "棉禾家纺旗舰店"
# Verbatim, in the file's order; three of them end in a space.
ORDER_HEADER = """\
订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,
返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,
运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝种类 ,
物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,
买家服务费,发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,是否上传合同照片,
是否上传小票,是否代付,定金排名,修改后的sku,修改后的收货地址,异常信息,
天猫卡券抵扣,集分宝抵扣,是否是O2O交易,新零售交易类型,新零售导购门店名称,退款金额,
预约门店,确认收货时间,打款商家金额
""".replace("\n", "").split(",")
PROVINCES = (
    "浙江省",
    "江苏省",
    "广东省",
    "上海",
    "山东省",
    "河南省",
    "四川省",
    "北京",
    "湖北省",
    "福建省",
    "安徽省",
    "辽宁省",
)
SHIPPED_AFTER, CONFIRMED_AFTER = pd.Timedelta(days=1.5), pd.Timedelta(days=10)


def files(world: World) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every order file: two zips for each month of creation."""
    lines = _with_status(world)
    for month, part in lines.groupby(lines["created_at"].dt.strftime("%Y%m")):
        for name, table in (
            (f"ExportOrderList{month}", order_table(part, world)),
            (f"ExportOrderDetailList{month}", line_table(part, world)),
        ):
            data = packed({f"{name}.csv": delimited(rows_of(table), "gb18030")})
            yield f"qianniu/{name}.zip", data


def _with_status(world: World) -> pd.DataFrame:
    """Lines with what the shop sees of their order on the morning after the last day."""
    lines = world.lines
    now = world.story.days[-1] + pd.Timedelta(days=1, hours=8)
    orders = lines.groupby("order_id")
    refunded = orders["refunded"].transform("sum") >= orders["paid"].transform("sum") - 0.005
    paid, waited = lines["paid_at"].notna(), now - lines["paid_at"]
    status = pd.Series("卖家已发货，等待买家确认", lines.index)
    status = status.mask(waited < SHIPPED_AFTER, "买家已付款，等待卖家发货")
    status = status.mask(waited > CONFIRMED_AFTER, "交易成功")
    status = status.mask(~paid | refunded, "交易关闭")
    is_open = now - lines["created_at"] < pd.Timedelta(days=1)
    status = status.mask(~paid & is_open, "等待买家付款")
    why = np.where(paid, "退款", "买家未付款")
    reason = pd.Series(why, lines.index).where(status == "交易关闭", "订单未关闭")
    done = (lines["paid_at"] + CONFIRMED_AFTER).where(status == "交易成功")
    return lines.assign(status=status, reason=reason, confirmed_at=done)


def order_table(lines: pd.DataFrame, world: World) -> pd.DataFrame:
    """The order file's columns as text; what was paid is net of refunds, as in the real file."""
    titles = world.story.items["title"].to_numpy()
    orders = lines.assign(title=titles[lines["item"]]).groupby("order_id", sort=False)
    first = orders.first()
    on_phone = world.story.sources["device"].eq("wireless").to_numpy()[first["source"]]
    columns = {
        "订单编号": _quoted(first.index.to_series()),
        "订单状态": first["status"],
        "运送方式": "快递",
        "订单创建时间": _time(first["created_at"]),
        "订单付款时间 ": _time(first["paid_at"]),
        "宝贝标题 ": orders["title"].agg("，".join),
        "宝贝种类 ": orders.size().astype(str),
        "店铺Id": "0",
        "店铺名称": SHOP,
        "订单关闭原因": first["reason"],
        "是否手机订单": np.where(on_phone, "手机订单", ""),
        "分阶段订单信息": np.where(first["presale"], "阶段1：定金；阶段2：尾款", ""),
        "确认收货时间": _time(first["confirmed_at"]),
    }
    columns |= _amounts(orders, first["confirmed_at"].notna()) | _people(first["buyer"])
    return pd.DataFrame(columns).reindex(columns=ORDER_HEADER, fill_value="")


def _amounts(orders: DataFrameGroupBy, is_done: pd.Series) -> dict[str, pd.Series | str]:
    total = orders[["ordered", "paid", "refunded", "units"]].sum()
    net = _yuan(total["paid"] - total["refunded"])
    return {
        "买家应付货款": _yuan(total["ordered"]),
        "买家应付邮费": "0.00",
        "总金额": _yuan(total["ordered"]),
        "买家实际支付金额": net,
        "宝贝总数量": total["units"].astype(str),
        "退款金额": _yuan(total["refunded"]),
        "打款商家金额": net.where(is_done, "0.00") + "元",
    }


def line_table(lines: pd.DataFrame, world: World) -> pd.DataFrame:
    """The order line file's columns as text. No item id: it joins by 商家编码 or 标题."""
    items = world.story.items.loc[lines["item"]].set_axis(lines.index)
    several = lines.groupby("order_id")["line"].transform("max") > 1
    own = (lines["order_id"].astype("int64") + 10**6 * lines["line"]).astype(str)
    refunded = lines["refunded"] > 0
    return pd.DataFrame(
        {
            "子订单编号": _quoted(own.where(several, lines["order_id"])),
            "主订单编号": _quoted(lines["order_id"]),
            "标题": items["title"],
            "价格": _yuan(lines["price"]),
            "购买数量": lines["units"].astype(str),
            "外部系统编号": items["code"],
            "商品属性": "",
            "套餐信息": "",
            "备注": "",
            "订单状态": lines["status"],
            "商家编码": items["code"],
            "支付单号": "",
            "买家应付货款": _yuan(lines["ordered"]),
            "买家实际支付金额": _yuan(lines["paid"] - lines["refunded"]),
            "退款状态": refunded.map({True: "退款成功", False: "没有申请退款"}),
            "退款金额": _yuan(lines["refunded"]),
        }
    )


def _people(buyer: pd.Series) -> dict[str, pd.Series]:
    """Personal data of nobody, for the importer to drop."""
    stem = (buyer % 10).map(dict(enumerate("甲乙丙丁戊己庚辛壬癸")))
    number = buyer.astype(str).str.zfill(6)
    province = (buyer * 31 % 97 % len(PROVINCES)).map(dict(enumerate(PROVINCES)))
    return {
        "买家会员名": "测试买家" + stem + number,
        "买家支付宝账号": pd.Series("138****0000", buyer.index),
        "收货人姓名": "测试收货人" + stem,
        "收货地址 ": province + " 测试市 测试区 示例路1号",
        "联系电话 ": pd.Series("'", buyer.index),
        "联系手机": pd.Series("'13800000000", buyer.index),
    }


def _quoted(ids: pd.Series) -> pd.Series:
    return '="' + ids + '"'


def _yuan(values: pd.Series) -> pd.Series:
    return values.map("{:.2f}".format)


def _time(values: pd.Series) -> pd.Series:
    return values.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("")
