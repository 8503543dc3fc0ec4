"""Small made-up files in the layouts of the vendors, for the tests of the importer."""

import csv
import io
import os
import zipfile
from pathlib import Path

import xlwt


def cells(line: str) -> list[str]:
    return next(csv.reader([line]))


SHOP_DAY = cells(
    "卖家昵称,统计日期,访客数,浏览量,人均停留时长(秒),跳失率,新访客数,商品收藏人数,下单买家数,下单金额,"
    "支付金额,支付买家数,支付商品件数,支付父订单数,描述相符动态评分(DSR),"
    "PC端访客数,PC端支付金额,PC端支付买家数,无线端访客数,无线端支付金额,无线端支付买家数"
)
SHOP_DAY_ROW = (
    '小店,2026-11-18,"1,200",4567,35.2,62.50%,700,80,40,"3,100.00",'
    '"2,500.50",30,33,31,4.85,200,500.50,5,1050,2000.00,26'
)
ITEM_DAY = cells(
    "统计日期,商品ID,商品名称,货号,商品访客数,商品浏览量,平均停留时长,商品详情页跳出率,商品收藏人数,"
    "商品加购人数,下单买家数,下单件数,下单金额,支付买家数,支付件数,支付金额,成功退款金额"
)
SOURCES = cells("一级来源,二级来源,三级来源,访客数,访客数变化,支付金额,支付买家数,加购人数")
ORDERS = cells(
    "订单编号,买家会员名,买家支付宝账号,总金额,买家实际支付金额,订单状态,买家留言,收货人姓名,收货地址 ,"
    "联系手机,订单创建时间,订单付款时间 ,确认收货时间,宝贝总数量,退款金额"
)
LINES = cells(
    "子订单编号,主订单编号,标题,价格,购买数量,外部系统编号,订单状态,商家编码,买家应付货款,"
    "买家实际支付金额,退款金额"
)
KEYWORDS = cells(
    "日期,场景ID,计划ID,计划名字,单元ID,单元名字,宝贝ID,词类型,词ID/词包ID,词名字/词包名字,"
    "展现量,点击量,花费,点击率,总成交金额,总成交笔数,总购物车数,平均展现排名"
)
ITEMS = cells("商品ID,商品标题,商家编码,类目,一口价,成本价,库存数量,上架时间,评分,是否预售")


def shop_day(**changes: str) -> list[str]:
    """One row of the shop by day; `changes` by header."""
    row = dict(zip(SHOP_DAY, cells(SHOP_DAY_ROW), strict=True)) | changes
    return list(row.values())


def with_header(header: list[str], *rows: list[str], preamble: int = 3) -> list[list[str]]:
    above = [["生意参谋"], ["统计时间：2026-11-18"], ["数据说明"], ["以次日为准"], ["单位：元"]]
    return [*above[:preamble], header, *rows]


def xls(path: Path, rows: list[list], sheet: str = "店铺") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet(sheet)
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            page.write(y, x, value)
    book.save(str(path))
    return path


def text(path: Path, rows: list[list], encoding: str = "gb18030", delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    path.write_bytes(file.getvalue().encode(encoding))
    return path


def zipped(path: Path, **members: bytes) -> Path:
    return zipped_as(path, members)


def zipped_as(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def xlsx(path: Path, rows: list[list[str]]) -> Path:
    """The least that is a workbook: one sheet of inline text, a number where the cell is one."""

    def cell(value) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/s.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="s.xml"/></Relationships>',
        "xl/s.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    return zipped_as(path, {name: part.encode() for name, part in parts.items()})


def dated(path: Path, seconds: int) -> Path:
    """The file with a time of change."""
    os.utime(path, (seconds, seconds))
    return path
