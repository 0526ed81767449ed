from tests.pipeline.transform.test_whole_record import *
def test_x(rendered_pages):
    out=open('/tmp/party_whole.txt','w'); n=0
    for page in rendered_pages:
        r=read_html(page.html,page.idno); a=as_shown(as_record(r,r.statements)); b=as_shown(expected_record(page.idno))
        for f in ('founders','administrators'):
            if a[f]!=b[f]:
                i=page.html.find(b[f][0]['name'])
                out.write(f"{page.path} {f}\n  {a[f]}\n  {b[f]}\n  {r.unread}\n  {page.html[max(0,i-200):i+500]!r}\n")
        if r.incomplete or r.unread: n+=1; out.write(f"INC {page.path} {r.incomplete} {r.unread}\n")
    out.write(f"{n}\n")
