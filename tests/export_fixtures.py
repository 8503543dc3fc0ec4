# ruff: noqa: E501 (rows as vendors write them)
"""One small file for each report that is read, in its vendor's layout, with made-up rows."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import vendor_files as vendor
from vendor_files import cells


def lines(text: str) -> list[list[str]]:
    """Rows of a comma-separated text; blank lines at its ends are none."""
    return list(csv.reader(io.StringIO(text.strip("\n"))))


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    return vendor.xls(path, rows, "店铺渠道")


def gbk(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    return vendor.text(path, rows, "gb18030")


def utf8(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    return vendor.text(path, rows, "utf-8")


def utf8_bom(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    return vendor.text(path, rows, "utf-8-sig")


@dataclass(frozen=True)
class Fixture:
    """A report: its file's name, its rows with what stands above them, and the tables it makes.

    header    place of the header row, from 0
    money     a header whose cells add up to `total` over the rows of the report
    tables    table -> its rows, as text: first line the columns that are not missing
    """

    format: str
    name: str
    write: Callable[[Path, Sequence[Sequence[str]]], Path]
    rows: list[list[str]]
    header: int
    tables: Mapping[str, str] = field(default_factory=dict)

    def file(self, folder: Path) -> Path:
        return self.write(folder / self.name, self.rows)


ABOVE = [["【生意参谋平台】"], ["统计时间：2026-11-18"], ["数据说明：以次日为准"]]
FIXTURES: dict[str, Fixture] = {}


def report(
    key: str, format: str, name: str, write, text: str, above: list[list[str]] = (), **made: str
) -> None:
    FIXTURES[key] = Fixture(format, name, write, [*above, *lines(text)], len(above), made)


report(
    "shop by day", "sycm_shop_day", "店铺日表.xls", workbook,
    """
卖家昵称,统计日期,访客数,浏览量,人均浏览量（访问深度）,人均停留时长(秒),跳失率,新访客数,支付金额,支付买家数,支付父订单数,支付商品件数,下单买家数,下单金额,描述相符动态评分(DSR),PC端访客数,PC端支付金额,PC端支付买家数,无线端访客数,无线端支付金额,无线端支付买家数
小店,2026-11-17,"1,200",4567,3.80,35.2,62.50%,700,"2,500.50",30,31,33,40,"3,100.00",4.85,200,500.50,5,"1,050",2000.00,26
小店,2026-11-18,900,3000,3.33,30,0.9%,500,-,0,-,-,1,99.00,4.85,100,-,0,820,-,0
小店,合计,-,7567,-,-,-,-,"2,500.50",-,31,33,-,"3,199.00",-,-,500.50,-,-,"2,000.00",-
""",
    ABOVE,
    shop_day="""
date,device,visitors,page_views,buyers,orders,units,sales,bounce_rate,dwell,new_visitors,ordered_buyers,ordered_amount,dsr_item
2026-11-17,all,1200,4567,30,31,33,2500.5,0.625,35.2,700,40,3100,4.85
2026-11-17,pc,200,,5,,,500.5,,,,,,
2026-11-17,wireless,1050,,26,,,2000,,,,,,
2026-11-18,all,900,3000,0,0,0,0,0.009,30,500,1,99,4.85
2026-11-18,pc,100,,0,,,0,,,,,,
2026-11-18,wireless,820,,0,,,0,,,,,,
""",
)  # fmt: skip
report(
    "sources of 2017", "sycm_sources_2017", "【生意参谋平台】无线店铺流量来源-2017-11-12_2017-11-12.xls", workbook,
    """
来源,来源明细,访客数,访客数变化,下单买家数,下单买家数变化,下单转化率,下单转化率变化
淘内免费,汇总,"1,300",5.00%,26,1.00%,2.00%,-
淘内免费,手淘搜索,800,4.00%,20,2.00%,2.50%,-
淘内免费,手淘首页,550,1.00%,6,0.00%,1.09%,-
付费流量,汇总,200,1.00%,4,1.00%,2.00%,-
付费流量,直通车,200,1.00%,4,1.00%,2.00%,-
自主访问,汇总,90,1.00%,0,-,0.00%,-
""",
    [*ABOVE, ["终端：无线"], [""]],
    source_day="""
date,source,device,channel,visitors,ordered_buyers
2017-11-12,付费流量/直通车,wireless,paid,200,4
2017-11-12,淘内免费/手淘搜索,wireless,free search,800,20
2017-11-12,淘内免费/手淘首页,wireless,free recommendation,550,6
2017-11-12,自主访问,wireless,direct/returning,90,0
""",
)  # fmt: skip
report(
    "sources, three levels", "sycm_sources", "【生意参谋平台】无线店铺流量来源-2026-11-12_2026-11-12.xls", workbook,
    """
一级来源,二级来源,三级来源,访客数,访客数变化,下单金额,下单金额变化,下单买家数,下单买家数变化,支付金额,支付金额变化,支付买家数,支付买家数变化,支付转化率,客单价,UV价值,收藏商品买家数,加购人数,新访客
付费推广,汇总,汇总,300,1%,700.00,1%,7,1%,600.00,1%,6,1%,2.00%,100.00,2.00,3,9,100
付费推广,无界,汇总,300,1%,700.00,1%,7,1%,600.00,1%,6,1%,2.00%,100.00,2.00,3,9,100
付费推广,无界,关键词推广,200,1%,400.00,1%,4,1%,400.00,1%,4,1%,2.00%,100.00,2.00,2,6,60
付费推广,无界,人群推广,110,1%,300.00,1%,3,1%,200.00,1%,2,1%,1.82%,100.00,1.82,1,3,40
经营优势,汇总,汇总,"1,500",1%,1.2万,1%,50,1%,-,1%,0,1%,0.00%,-,0.00,4,9,700
经营优势,搜索,汇总,"1,500",1%,1.2万,1%,50,1%,-,1%,0,1%,0.00%,-,0.00,4,9,700
""",
    [*ABOVE, ["终端：无线"], ["最后一次访问来源"]],
    source_day="""
date,source,device,channel,visitors,buyers,sales,ordered_buyers,cart_adds,favourites
2026-11-12,付费推广/无界/人群推广,wireless,paid,110,2,200,3,3,1
2026-11-12,付费推广/无界/关键词推广,wireless,paid,200,4,400,4,6,2
2026-11-12,经营优势/搜索,wireless,free search,1500,0,0,50,9,4
""",
)  # fmt: skip
report(
    "sources of items", "sycm_item_source_day", "商品流量来源.xls", workbook,
    """
统计日期,商品ID,来源名称,访客数,支付买家数,支付件数,支付金额
2026-11-18,600000000001,手淘搜索,100,4,5,345.00
2026-11-18,600000000001,直通车,40,0,-,-
2026-11-18,600000000002,手淘搜索,60,1,1,49.90
""",
    ABOVE,
    item_source_day="""
date,item_id,source,visitors,buyers,units,sales
2026-11-18,600000000001,手淘搜索,100,4,5,345
2026-11-18,600000000001,直通车,40,0,0,0
2026-11-18,600000000002,手淘搜索,60,1,1,49.9
""",
)  # fmt: skip
report(
    "sources of one item", "sycm_item_sources", "商品流量来源_600000000001_2026-11-18_2026-11-18.xls", workbook,
    """
来源名称,访客数,浏览量,支付金额,浏览量占比,店内跳转人数,跳出本店人数,收藏人数,加购人数,下单买家数,下单转化率,支付件数,支付买家数,支付转化率,直接支付买家数,收藏商品-支付买家数,粉丝支付买家数,加购商品-支付买家数
手淘搜索,100,150,345.00,50.00%,10,60,3,8,5,5.00%,5,4,4.00%,3,1,0,1
直通车,40,60,-,20.00%,4,30,1,2,0,0.00%,-,0,0.00%,0,0,0,0
""",
    [*ABOVE, ["商品"], [""]],
    item_source_day="""
date,item_id,source,visitors,buyers,units,sales
2026-11-18,600000000001,手淘搜索,100,4,5,345
2026-11-18,600000000001,直通车,40,0,0,0
""",
)  # fmt: skip
report(
    "items by day", "sycm_item_day", "【生意参谋平台】商品_全部_2026-11-18_2026-11-18.xls", workbook,
    """
统计日期,商品ID,商品名称,货号,商品状态,商品标签,商品访客数,商品浏览量,平均停留时长,商品详情页跳出率,商品收藏人数,商品加购件数,商品加购人数,下单买家数,下单件数,下单金额,下单转化率,支付买家数,支付件数,支付金额,商品支付转化率,支付新买家数,访客平均价值,成功退款金额,竞争力评分,搜索引导访客数
2026-11-18,600000000001,"被子 1.5m, 白",A-1,当前在线,-,"12,345",20000,20,55.00%,30,50,40,50,55,"3,800.00",0.41%,44,48,"3,312.00",0.36%,30,0.27,69.00,80,5000
2026-11-18,600000000002,枕头,B-1,已下架,-,10,12,5,0.9%,-,-,-,0,-,-,0.00%,0,-,-,0.00%,-,0.00,-,10,4
2026-11-18,-,-,-,-,-,"12,355",-,-,-,-,-,-,-,-,-,-,-,48,"3,312.00",-,-,-,-,-,-
""",
    [*ABOVE, [""]],
    item_day="""
date,item_id,visitors,page_views,bounce_rate,dwell,cart_adds,favourites,ordered_buyers,ordered_units,ordered_amount,buyers,units,sales,refunds
2026-11-18,600000000001,12345,20000,0.55,20,40,30,50,55,3800,44,48,3312,69
2026-11-18,600000000002,10,12,0.009,5,,,0,0,0,0,0,0,
""",
    items="""
item_id,title
600000000001,"被子 1.5m, 白"
600000000002,枕头
""",
)  # fmt: skip
report(
    "search words", "sycm_words", "引流搜索关键词.xlsx", vendor.xlsx,
    """
统计日期,搜索词,访客数,加购人数,商品收藏人数,支付买家数,支付转化率,支付件数,支付金额,客单价,UV价值
2026-11-18,被子 冬,120,10,4,6,5.00%,7,483.00,80.50,4.03
2026-11-18,四件套,7,0,0,0,0.00%,-,-,-,0.00
""",
    ABOVE,
    word_day="""
date,word,visitors,cart_adds,favourites,buyers,units,sales
2026-11-18,四件套,7,0,0,0,0,0
2026-11-18,被子 冬,120,10,4,6,7,483
""",
)  # fmt: skip
report(
    "items bought together", "sycm_item_pairs", "连带分析_2026-11-12_2026-11-18.xls", workbook,
    """
商品名称,访问人数,支付件数,支付金额,关联商品名称,关联访问人数,关联访问率,关联加购人数,关联加购率,关联支付人数,关联购买率
被子,45950,237,"94,088.22",枕头,5772,12.56%,70,6.40%,10,4.41%
被子,45950,237,"94,088.22",毯子,90,0.20%,-,-,-,-
""",
    [],
    item_pairs="""
first_day,last_day,title,with_title,visitors,units,sales,with_visitors,with_cart_adds,with_buyers
2026-11-12,2026-11-18,被子,枕头,45950,237,94088.22,5772,70,10
2026-11-12,2026-11-18,被子,毯子,45950,237,94088.22,90,,
""",
)  # fmt: skip
report(
    "keywords", "wanxiang_keywords", "推广关键词报表_20261119_090000.csv", gbk,
    """
日期,场景ID,场景名字,计划ID,计划名字,单元ID,单元名字,宝贝ID,宝贝名称,词类型,词ID/词包ID,词名字/词包名字,展现量,点击量,花费,点击率,平均点击花费,总预售成交金额,直接成交金额,间接成交金额,总成交金额,总成交笔数,点击转化率,投入产出比,总购物车数,平均展现排名
2026/11/18,1,关键词推广,7,秋冬,8,被子单元,600000000001,被子,关键词,91,四件套,100,10,"￥1,000.00",10.00%,100.00,0,900,100,"1,000.00",10,100.00%,1.00,2,2
2026/11/18,1,关键词推广,7,秋冬,8,被子单元,600000000001,被子,关键词,92,四件套,300,20,5.50,6.67%,0.28,0,50,0,50,1,5.00%,9.09,1,4
2026/11/18,1,关键词推广,7,秋冬,8,被子单元,600000000002,枕头,关键词包,93,捡漏词包,50,0,0,0.00%,-,0,-,-,-,-,-,-,-,-
""",
    [],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales,cart_adds,avg_rank
2026-11-18,秋冬,被子单元,600000000001,四件套,400,30,1005.5,11,1050,3,3.5
2026-11-18,秋冬,被子单元,600000000002,捡漏词包,50,0,0,,,,
""",
)  # fmt: skip
report(
    "advertised items", "wanxiang_items", "商品报表_20261119_110309.csv", gbk,
    """
日期,场景ID,场景名字,计划ID,计划名字,单元ID,单元名字,主体ID,主体类型,主体名称,展现量,点击量,花费,点击率,平均点击花费,直接成交金额,总成交金额,净成交金额,总成交笔数,投入产出比,总购物车数
2026-11-18,2,货品全站,9,全站,10,全站单元,600000000001,商品,被子,1000,50,200.00,5.00%,4.00,300,600.00,540.00,6,3.00,8
2026-11-18,2,货品全站,9,全站,10,全站单元,600000000002,商品,枕头,500,10,40.10,2.00%,4.01,-,-,-,-,-,-
""",
    [],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales,cart_adds
2026-11-18,全站,全站单元,600000000001,all,1000,50,200,6,600,8
2026-11-18,全站,全站单元,600000000002,all,500,10,40.1,,,
""",
)  # fmt: skip
report(
    "plans", "wanxiang_plans", "计划报表_20261119_110309.csv", gbk,
    """
日期,场景ID,场景名字,计划ID,计划名称,展现量,点击量,花费,点击率,总成交金额,总成交笔数,投入产出比,总购物车数
2026-11-18,2,货品全站,9,全站,1500,60,240.10,4.00%,600.00,6,2.50,8
2026-11-18,合计,-,-,合计,1500,60,240.10,4.00%,600.00,6,2.50,8
""".replace("2026-11-18,合计,-,-,合计", "合计,-,-,-,-"),
    [],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales,cart_adds
2026-11-18,全站,all,all,all,1500,60,240.1,6,600,8
""",
)  # fmt: skip
report(
    "units of 直通车", "zhitongche_units", "直通车报表_2026-11-18_2026-11-18.csv", gbk,
    """
状态,商品名称,推广单元类型,计划名称,默认出价,展现量,点击量,点击率,花费,平均点击花费,点击转化率,投入产出比,总成交金额,平均展现排名
推广中,被子,标准推广,秋冬,1.50,1000,40,4.00%,"￥1,234.50",30.86,3.25%,0.50,617.25,3
暂停,枕头,标准推广,秋冬,1.50,-,-,-,-,-,-,-,-,-
""",
    [],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,sales,avg_rank
2026-11-18,秋冬,枕头,not stated,all,,,,,
2026-11-18,秋冬,被子,not stated,all,1000,40,1234.5,617.25,3
""",
)  # fmt: skip
ORDER_HEADER = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,"
    "买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,"
    "宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,"
    "发票抬头,是否手机订单,分阶段订单信息,特权订金订单id,定金排名,修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,"
    "集分宝抵扣,是否是O2O交易"
)
NEW_ORDER_HEADER = (
    ORDER_HEADER + ",退款金额,预约门店,确认收货时间,打款商家金额,含应开票给个人的个人红包,预售订单"
)


def order(
    number: int, total: str, paid: str, status: str, placed: str, paid_at: str = "", stages: str = "",
    new: str = "",
) -> str:  # fmt: skip
    """One line of an order list; `new`: the cells that only the newer version has."""
    return (
        f'"=""19300000000000000{number}""",tb{number % 3},a@b.cn,{total},0.00,0,{total},0,{paid},0,"{status}",快,张三,'
        f"浙江省 杭州市 西湖区 & 文三路,快递,,'1860000000{number},{placed},{paid_at},被子,1,,,,1,0,小店,"
        f"{'订单未关闭' if status != '交易关闭' else '退款'},0,0元,,手机订单,{stages},,,,,,,,{new and ',' + new}"
    )


report(
    "orders, old", "qianniu_orders", "ExportOrderList201605251650.csv", gbk,
    "\n".join([ORDER_HEADER,
        order(1, "598.00", "598.00", "买家已付款，等待卖家发货", "2016/5/23 22:02", "2016/5/23 22:03"),
        order(2, "80.10", "0.00", "等待买家付款", "2016/5/23 23:59"),
        order(3, "59.90", "0.00", "交易关闭", "2016/5/24 0:01"),
        order(4, "0.20", "0.20", "交易成功", "2016/5/24 8:00", "2016/5/24 8:00")]),
    orders="""
order_id,created_at,paid_at,status,province,amount,units,paid,presale
193000000000000001,2016-05-23 22:02:00,2016-05-23 22:03:00,买家已付款，等待卖家发货,浙江,598,1,598,False
193000000000000002,2016-05-23 23:59:00,,等待买家付款,浙江,80.1,1,0,False
193000000000000003,2016-05-24 00:01:00,,交易关闭,浙江,59.9,1,0,False
193000000000000004,2016-05-24 08:00:00,2016-05-24 08:00:00,交易成功,浙江,0.2,1,0.2,False
""",
)  # fmt: skip
NEW = ["0.00,,2026-11-15 10:00:00,{}元,0.00,否", "80.00,,,0.00元,0.00,否", "0.00,,,0.00元,0.00,否"]
report(
    "orders, new", "qianniu_orders", "ExportOrderList202611160900.csv", gbk,
    "\n".join([NEW_ORDER_HEADER,
        order(1, "100.10", "100.10", "交易成功", "2026-11-10 09:00:00", "2026-11-10 09:05:11", new=NEW[0]),
        order(2, "80.00", "0.00", "交易关闭", "2026-11-10 10:00:00", "2026-11-10 10:01:00", new=NEW[1]),
        order(3, "60.05", "0.00", "交易关闭", "2026-11-10 11:00:00", new=NEW[2]),
        order(4, "50.00", "40.03", "卖家已发货，等待买家确认", "2026-11-11 11:00:00", "2026-11-11 11:02:00",
              new="5.07,,,40.03元,0.00,否"),
        order(5, "300.00", "50.00", "等待买家付款", "2026-11-01 20:00:00", stages="阶段1:已付款;阶段2:未付款",
              new="0.00,,,0.00元,0.00,是"),
        order(6, "300.00", "300.00", "买家已付款，等待卖家发货", "2026-11-01 20:00:03", "2026-11-11 00:00:59",
              stages="阶段1:已付款;阶段2:已付款", new="0.00,,,300.00元,0.00,是")]).replace("{}", "100.10"),
    orders="""
order_id,created_at,paid_at,closed_at,status,province,amount,units,paid,refunded,presale
193000000000000001,2026-11-10 09:00:00,2026-11-10 09:05:11,2026-11-15 10:00:00,交易成功,浙江,100.1,1,100.1,0,False
193000000000000002,2026-11-10 10:00:00,2026-11-10 10:01:00,,交易关闭,浙江,80,1,80,80,False
193000000000000003,2026-11-10 11:00:00,,,交易关闭,浙江,60.05,1,0,0,False
193000000000000004,2026-11-11 11:00:00,2026-11-11 11:02:00,,卖家已发货，等待买家确认,浙江,50,1,45.1,5.07,False
193000000000000005,2026-11-01 20:00:00,,,等待买家付款,浙江,300,1,50,0,True
193000000000000006,2026-11-01 20:00:03,2026-11-11 00:00:59,,买家已付款，等待卖家发货,浙江,300,1,300,0,True
""",
)  # fmt: skip
report(
    "order lines, old", "qianniu_order_lines", "ExportOrderDetailList201605251650.csv", gbk,
    '''
订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码
"=""193000000000000001""",被子,299.00,2,A-1,颜色分类:白,,,买家已付款，等待卖家发货,A-1
"=""193000000000000002""","枕头, 一对",80.10,1,,,,,等待买家付款,B-1
''',
    order_lines="""
order_id,line,item_id,units,list_price
193000000000000001,1,A-1,2,299
193000000000000002,1,B-1,1,80.1
""",
)  # fmt: skip
report(
    "order lines, new", "qianniu_order_lines", "ExportOrderDetailList202611160900.csv", gbk,
    '''
子订单编号,主订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码,支付单号,买家应付货款,买家实际支付金额,退款状态,退款金额,订单创建时间,订单付款时间
"=""11""","=""193000000000000001""",被子,60.10,1,,,,,交易成功,A-1,z1,60.10,60.10,没有申请退款,0.00,2026-11-10 09:00:00,2026-11-10 09:05:11
"=""12""","=""193000000000000001""",枕头,40.00,1,B-1,,,,交易成功,,z1,40.00,40.00,没有申请退款,0.00,2026-11-10 09:00:00,2026-11-10 09:05:11
"=""13""","=""193000000000000002""",毯子,80.00,1,,,,,交易关闭,C-9,z2,80.00,0.00,退款成功,80.00,2026-11-10 10:00:00,2026-11-10 10:01:00
''',
    order_lines="""
order_id,line,item_id,units,list_price,paid,refunded
193000000000000001,1,A-1,1,60.1,60.1,0
193000000000000001,2,B-1,1,40,40,0
193000000000000002,1,C-9,1,80,80,80
""",
)  # fmt: skip
report(
    "refunds", "qianniu_refunds", "退款列表.csv", gbk,
    '''
退款编号,订单编号,退款申请时间,退款状态,商品id,退款总额,退款原因
"=""771""","=""193000000000000002""",2026-11-12 08:00:00,退款成功,600000000003,80.00,不喜欢
"=""772""","=""193000000000000004""",2026-11-13 08:00:00,买家已经申请退款，等待卖家同意,600000000001,5.07,少件
''',
    refunds="""
refund_id,order_id,item_id,applied_at,status,amount,given_back
771,193000000000000002,600000000003,2026-11-12 08:00:00,退款成功,80,80
772,193000000000000004,600000000001,2026-11-13 08:00:00,买家已经申请退款，等待卖家同意,5.07,0
""",
)  # fmt: skip
report(
    "customer service", "service_day", "客服绩效.csv", utf8_bom,
    """
日期,咨询人数,接待人数,询单人数,下单人数,支付人数,询单转化率,平均响应时长（秒）,旺旺回复率,客户满意率,客服销售额,成功退款金额
2026-11-18,90,80,60,25,20,33.33%,31.5,98.5%,100%,"1,999.90",-
""",
    service_day="""
date,agent_key,inquiries,received,ordered_buyers,inquiry_buyers,response_time,reply_rate,satisfaction,sales
2026-11-18,all,60,80,25,20,31.5,0.985,1,1999.9
""",
)  # fmt: skip
report(
    "scores", "dsr_day", "DSR.csv", utf8,
    """
日期,描述相符评分,服务态度评分,物流服务评分
2026年11月17日,4.86123,4.812,4.799
2026年11月18日,4.86120,4.812,4.801
""",
    shop_day="""
date,device,dsr_item,dsr_service,dsr_logistics
2026-11-17,all,4.86123,4.812,4.799
2026-11-18,all,4.8612,4.812,4.801
""",
)  # fmt: skip
report(
    "list of items", "item_list", "商品列表.csv", utf8_bom,
    """
商品ID,商品标题,商家编码,类目,一口价,成本价,库存数量,上架时间,评分,是否预售
600000000001,被子,A-1,床品,69.00,20.00,5,2026-01-05,4.8,否
600000000002,枕头,B-1,床品,￥49.90,-,"1,007",2026/2/5,-,是
""",
    items="""
item_id,title,category,list_price,unit_cost,stock,listed_on,rating,presale
600000000001,被子,床品,69,20,5,2026-01-05,4.8,False
600000000002,枕头,床品,49.9,,1007,2026-02-05,,True
""",
)  # fmt: skip
report(
    "costs", "item_costs", "costs.csv", utf8,
    """
item_id,unit_cost,season_end
600000000001,20.5,2027-02-28
600000000002,8,
""",
    items="""
item_id,unit_cost,season_end
600000000001,20.5,2027-02-28
600000000002,8,
""",
)  # fmt: skip
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem compare at price,Lineitem sku,Billing Name,Shipping Province Name,Phone,Cancelled at,Refunded Amount,"
    "Outstanding Balance,Id,Source,Lineitem discount\n"
)
report(
    "Shopify orders", "shopify_orders", "orders_export_1.csv", utf8,
    SHOPIFY + """
#1001,ann@x.org,paid,2026-05-01 13:25:00 +0900,fulfilled,no,USD,55.00,5.00,4.40,64.40,SPRING,5.00,Std,2026-05-01 13:22:05 +0900,2,Mug - blue,20.00,25.00,MUG-B,Ann A,Tokyo,+81,,0.00,0.00,9001,web,0.00
#1001,,,,,,,,,,,,,,,1,Plate,20.00,,PLT,,,,,,,,,0.00
#1002,bob@x.org,refunded,2026-05-01 20:00:00 +0900,unfulfilled,no,USD,20.00,0.00,0.00,20.00,,0.00,,2026-05-01 19:59:00 +0900,1,Plate,20.00,,PLT,Bob B,Osaka,,2026-05-03 10:00:00 +0900,20.00,0.00,9002,web,0.00
#1003,cat@x.org,voided,,unfulfilled,no,USD,9.99,0.00,0.00,9.99,,0.00,,2026-05-02 08:00:00 +0900,1,Spoon,9.99,,SPN,Cat C,Tokyo,,2026-05-02 09:00:00 +0900,0.00,0.00,9003,pos,0.00
#1004,ann@x.org,partially_refunded,2026-05-02 12:00:00 +0900,fulfilled,no,USD,40.00,0.00,3.20,43.20,,0.00,,2026-05-02 11:59:00 +0900,2,Mug - blue,20.00,,MUG-B,Ann A,Tokyo,,,21.60,0.00,9004,web,0.00
""".lstrip("\n"),
    orders="""
order_id,created_at,paid_at,closed_at,status,province,source,amount,units,paid,refunded
#1001,2026-05-01 13:22:05,2026-05-01 13:25:00,,paid,Tokyo,web,64.4,3,64.4,0
#1002,2026-05-01 19:59:00,2026-05-01 20:00:00,2026-05-03 10:00:00,refunded,Osaka,web,20,1,20,20
#1003,2026-05-02 08:00:00,,2026-05-02 09:00:00,voided,Tokyo,pos,9.99,1,0,0
#1004,2026-05-02 11:59:00,2026-05-02 12:00:00,,partially_refunded,Tokyo,web,43.2,2,43.2,21.6
""",
    order_lines="""
order_id,line,item_id,units,list_price,paid
#1001,1,MUG-B,2,20,40
#1001,2,PLT,1,20,20
#1002,1,PLT,1,20,20
#1003,1,SPN,1,9.99,0
#1004,1,MUG-B,2,20,40
""",
)  # fmt: skip
report(
    "Shopify sessions", "shopify_sessions", "sessions_2026.csv", utf8,
    """
Day,Online store visitors,Sessions,Sessions with cart additions,Sessions that reached checkout,Sessions that completed checkout,Average session duration,Pageviews
2026-11-17,800,1000,60,40,25,95.5,3200
2026-11-18,700,900,50,30,0,90,2500
""",
    shop_day="""
date,device,visitors,page_views,orders,dwell,cart_adds
2026-11-17,all,1000,3200,25,95.5,60
2026-11-18,all,900,2500,0,90,50
""",
)  # fmt: skip
report(
    "Shopify campaigns", "shopify_session_sources", "sessions_by_campaign.csv", utf8,
    """
Day,UTM campaign,Landing page,Sessions,Sessions with cart additions,Sessions completed checkout,Pageviews
2026-11-17,paid-spring,/,100,6,3,300
2026-11-17,paid-spring,/mugs,50,1,1,90
2026-11-17,,/,400,20,10,900
""",
    source_day="""
date,source,device,channel,visitors,page_views,orders,cart_adds
2026-11-17,direct,all,direct/returning,400,900,10,20
2026-11-17,paid-spring,all,paid,150,390,4,7
""",
)  # fmt: skip
report(
    "WooCommerce orders", "woocommerce_orders", "wc-orders-report-export.csv", utf8,
    """
Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales,Attribution
2026-11-17 10:00:00,5001,$64.40,completed,Ann A,new,"2× Mug, blue, 1× Plate",3,SPRING,64.40,Organic: Google
2026-11-17 11:00:00,5002,$20.00,cancelled,Bob B,returning,1× Plate,1,,20.00,Direct
2026-11-18 12:00:00,5003,$9.99,processing,Ann A,returning,1× Spoon,1,,9.99,Direct
""",
    orders="""
order_id,created_at,paid_at,status,source,amount,units,paid
5001,2026-11-17 10:00:00,2026-11-17 10:00:00,completed,Organic: Google,64.4,3,64.4
5002,2026-11-17 11:00:00,,cancelled,Direct,20,1,0
5003,2026-11-18 12:00:00,2026-11-18 12:00:00,processing,Direct,9.99,1,9.99
""",
    order_lines="""
order_id,line,item_id,units
5001,1,"Mug, blue",2
5001,2,Plate,1
5002,1,Plate,1
5003,1,Spoon,1
""",
)  # fmt: skip
GA4_TOP = """
# ----------------------------------------
# Traffic acquisition: Session primary channel group (Default Channel Group)
# Account: Shop
# Property: Shop - GA4
# ----------------------------------------
#
# All Users
# Start date: 20261117
# End date: 20261117
Nth day,Organic Search,Direct
0000,900,300

# Start date: 20261117
# End date: 20261117
"""
report(
    "GA4 traffic", "ga4_traffic", "data-export.csv", utf8,
    """
Session primary channel group (Default Channel Group),Sessions,Engaged sessions,Engagement rate,Average engagement time per session,Events per session,Event count,Key events,Session key event rate,Total revenue
Organic Search,900,540,0.6,50.5,4,3600,20,0.0222,1234.50
Direct,300,100,0.3333,20.1,3,900,5,0.0167,0
""",
    lines(GA4_TOP),
    source_day="""
date,source,device,channel,visitors,bounces,sales
2026-11-17,Direct,all,direct/returning,300,200,0
2026-11-17,Organic Search,all,free search,900,360,1234.5
""",
)  # fmt: skip
report(
    "Google Ads keywords", "google_ads", "Search keyword report.csv", utf8,
    """
Day,Campaign,Ad group,Search keyword,Search keyword match type,Currency code,Clicks,Impr.,CTR,Avg. CPC,Cost,Impr. (Abs. Top) %,Conversions,Cost / conv.,Conv. rate,Conv. value
2026-11-17,Spring,Mugs,blue mug,Phrase match,USD,40,"1,000",4.00%,0.50,20.00,30%,2.50,8.00,6.25%,100.00
2026-11-17,Spring,Mugs,[mug],Exact match,USD,0,15, --,--,0.00,--,0.00,--,--,0.00
Total: Search keywords,,,,,USD,40,"1,015",3.94%,0.50,20.00,--,2.50,8.00,6.25%,100.00
Total: Account,,,,,USD,50,"2,000",2.50%,0.50,25.00,--,3.00,8.33,6.00%,120.00
""",
    [["Search keyword report"], ["November 17, 2026 - November 17, 2026"]],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales
2026-11-17,Spring,Mugs,not stated,[mug],15,0,0,0,0
2026-11-17,Spring,Mugs,not stated,blue mug,1000,40,20,2.5,100
""",
)  # fmt: skip
report(
    "Google Ads campaigns", "google_ads", "Campaign report.csv", utf8,
    """
Campaign,Currency code,Clicks,Impr.,Cost,Conversions,Conv. value
Autumn,USD,4,100,2.00,--,--
""",
    [["Campaign report"], ["November 17, 2026 - November 17, 2026"]],
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost
2026-11-17,Autumn,all,not stated,all,100,4,2
""",
)  # fmt: skip
report(
    "Meta Ads", "meta_ads", "Untitled-report-Nov-17.csv", utf8_bom,
    """
Reporting starts,Reporting ends,Campaign name,Ad set name,Ad name,Day,Amount spent (EUR),Impressions,Reach,Frequency,Link clicks,Clicks (all),Results,Result indicator,Purchases,Purchases conversion value,"CPM (cost per 1,000 impressions)"
2026-11-17,2026-11-17,Herbst,Alle,Bild,2026-11-17,12.34,5000,4000,1.25,60,80,3,actions:offsite_conversion,3,150.00,2.468
2026-11-17,2026-11-17,Herbst,Alle,Video,2026-11-17,7.66,1000,900,1.11,20,30,,,,,7.66
""",
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales
2026-11-17,Herbst,Alle,not stated,all,6000,80,20,3,150
""",
)  # fmt: skip
report(
    "Meta Ads in French", "meta_ads", "rapport.csv", utf8_bom,
    """
Début des rapports,Fin des rapports,Nom de la campagne,Montant dépensé (EUR),Impressions,Clics sur un lien,Achats,Valeur de conversion des achats
2026-11-17,2026-11-17,Automne,9.99,1000,12,1,49.90
""",
    ad_day="""
date,plan,unit,item_id,word,impressions,clicks,cost,orders,sales
2026-11-17,Automne,all,not stated,all,1000,12,9.99,1,49.9
""",
)  # fmt: skip
__all__ = ["FIXTURES", "Fixture", "cells", "lines"]
